// A net/http server that answers with what it was sent, and a client that checks it.
//
//	go-http serve ADDRESS
//	go-http ask URL
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
)

func serve(address string) {
	http.HandleFunc("/", func(out http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err != nil {
			http.Error(out, err.Error(), 500)
			return
		}
		out.Write(body)
	})
	log.Fatal(http.ListenAndServe(address, nil))
}

// One client's requests: small ones, and a megabyte now and then; every other client closes each connection.
func askMany(url string, client int, right *int64) {
	transport := &http.Transport{DisableKeepAlives: client%2 == 1}
	asker := &http.Client{Transport: transport}
	for i := 0; i < 100; i++ {
		body := []byte(fmt.Sprintf("client %d request %d", client, i))
		if i%50 == 0 {
			body = bytes.Repeat(body, 50000)
		}
		answer, err := asker.Post(url, "text/plain", bytes.NewReader(body))
		if err != nil {
			log.Print(err)
			continue
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil && bytes.Equal(got, body) {
			atomic.AddInt64(right, 1)
		}
	}
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2])
	}
	var right int64
	var clients sync.WaitGroup
	for client := 0; client < 8; client++ {
		clients.Add(1)
		go func(client int) {
			defer clients.Done()
			askMany(os.Args[2], client, &right)
		}(client)
	}
	clients.Wait()
	if right != 800 {
		log.Fatalf("%d of 800 answers right", right)
	}
	fmt.Println("800 answers, all right")
}
