// A line client. Usage: client ADDRESS PORT
package main

import (
	"bufio"
	"io"
	"log"
	"net"
	"os"
)

func main() {
	server, err := net.Dial("tcp", net.JoinHostPort(os.Args[1], os.Args[2]))
	if err != nil {
		log.Fatal(err)
	}
	input, answers := bufio.NewReader(os.Stdin), bufio.NewReader(server)
	for {
		line, err := input.ReadString('\n')
		if err == io.EOF {
			break
		}
		if _, err := io.WriteString(server, line); err != nil {
			log.Fatal(err)
		}
		answer, err := answers.ReadString('\n')
		if err != nil {
			log.Fatal(err)
		}
		os.Stdout.WriteString(answer)
	}
	server.(*net.TCPConn).CloseWrite()
	if _, err := answers.ReadByte(); err != io.EOF {
		log.Fatal("more came than was sent")
	}
}
