-- A line client. Usage: Client ADDRESS PORT
module Main (main) where

import qualified Data.ByteString as Bytes
import qualified Data.ByteString.Char8 as Text
import Network.Socket
import Network.Socket.ByteString (recv, sendAll)
import System.Environment (getArgs)
import System.Exit (exitFailure)

main :: IO ()
main = do
  [host, port] <- getArgs
  address : _ <- getAddrInfo (Just defaultHints {addrSocketType = Stream}) (Just host) (Just port)
  server <- socket (addrFamily address) (addrSocketType address) (addrProtocol address)
  connect server (addrAddress address)
  input <- Text.getContents
  mapM_ (ask server) (Text.lines input)
  shutdown server ShutdownSend
  rest <- recv server 1
  if Bytes.null rest then close server else exitFailure

ask :: Socket -> Bytes.ByteString -> IO ()
ask server line = do
  sendAll server (Text.snoc line '\n')
  answer server >>= Bytes.putStr

-- The bytes up to the end of the line.
answer :: Socket -> IO Bytes.ByteString
answer server = do
  part <- recv server 4096
  if Bytes.null part || Text.last part == '\n'
    then pure part
    else Bytes.append part <$> answer server
