package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	for _, name := range os.Args[1:] {
		addresses, err := net.LookupHost(name)
		if err != nil {
			fmt.Printf("%s: not found\n", name)
			continue
		}
		for _, address := range addresses {
			back := "nobody"
			if names, err := net.LookupAddr(address); err == nil && len(names) > 0 {
				back = strings.TrimSuffix(names[0], ".")
			}
			fmt.Printf("%s: %s, which is %s\n", name, address, back)
		}
	}
}
