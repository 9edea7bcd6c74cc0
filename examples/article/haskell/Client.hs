-- The article's Haskell client: every line of standard input goes to the server, flushed one by one.
-- Usage: Client [PORT]
module Main (main) where

import Control.Exception (IOException, try)
import Network.Socket
import System.Environment (getArgs)
import System.IO

main :: IO ()
main = withSocketsDo $ do
  arguments <- getArgs
  let port = case arguments of
        [text] -> text
        _ -> "2048"
  addresses <- getAddrInfo (Just defaultHints {addrSocketType = Stream}) (Just "localhost") (Just port)
  handle <- connectFirst addresses
  input <- getContents
  mapM_ (sendLine handle) (lines input)
  hClose handle

sendLine :: Handle -> String -> IO ()
sendLine handle line = hPutStrLn handle line >> hFlush handle

connectFirst :: [AddrInfo] -> IO Handle
connectFirst [] = ioError (userError "localhost: no address answers")
connectFirst (address : rest) = do
  connection <- socket (addrFamily address) (addrSocketType address) (addrProtocol address)
  outcome <- try (connect connection (addrAddress address)) :: IO (Either IOException ())
  case outcome of
    Right () -> socketToHandle connection WriteMode
    Left _ -> close connection >> connectFirst rest
