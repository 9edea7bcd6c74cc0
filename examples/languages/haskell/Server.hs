-- An echo server with a light thread for every client. Usage: Server ADDRESS PORT
module Main (main) where

import Control.Concurrent (forkFinally)
import Control.Monad (forever, unless, void)
import qualified Data.ByteString as Bytes
import Network.Socket
import Network.Socket.ByteString (recv, sendAll)
import System.Environment (getArgs)
import System.IO

main :: IO ()
main = do
  [host, port] <- getArgs
  let hints = defaultHints {addrFlags = [AI_PASSIVE, AI_NUMERICHOST], addrSocketType = Stream}
  address : _ <- getAddrInfo (Just hints) (Just host) (Just port)
  listener <- socket (addrFamily address) (addrSocketType address) (addrProtocol address)
  setSocketOption listener ReuseAddr 1
  bind listener (addrAddress address)
  listen listener 64
  hPutStrLn stderr "ready"
  forever $ do
    (client, _) <- accept listener
    void (forkFinally (echo client) (const (close client)))

echo :: Socket -> IO ()
echo client = do
  part <- recv client 4096
  unless (Bytes.null part) (sendAll client part >> echo client)
