-- The article's Haskell server: one thread per client, which announces Open, each line as Msg, and Close.
-- The module that it used is gone; Network.Socket is what became of it. Usage: Server [PORT]
module Main (main) where

import Control.Concurrent (forkIO)
import Control.Monad (forever, void)
import Data.Maybe (fromMaybe)
import Network.Socket
import System.Environment (getArgs)
import System.IO

main :: IO ()
main = withSocketsDo $ do
  hSetBuffering stdout LineBuffering
  arguments <- getArgs
  let port = case arguments of
        [text] -> read text
        _ -> 2048
  listener <- socket AF_INET Stream defaultProtocol
  setSocketOption listener ReuseAddr 1
  bind listener (SockAddrInet port 0)
  listen listener 5
  hPutStrLn stderr "ready"
  forever (serveNext listener)

serveNext :: Socket -> IO ()
serveNext listener = do
  (connection, address) <- accept listener
  (host, _) <- getNameInfo [] True False address
  handle <- socketToHandle connection ReadMode
  void (forkIO (announce (label host address) handle))

label :: Maybe HostName -> SockAddr -> String
label host (SockAddrInet port _) = "(" ++ fromMaybe "?" host ++ ":" ++ show port ++ "): "
label _ other = "(" ++ show other ++ "): "

announce :: String -> Handle -> IO ()
announce who handle = do
  putStrLn (who ++ "Open")
  text <- hGetContents handle
  mapM_ (\line -> putStrLn (who ++ "Msg " ++ show line)) (lines text)
  putStrLn (who ++ "Close")
