// What a gateway written with Go's standard library does: a reverse proxy and nothing else.
// reverse-proxy LISTEN-ADDRESS MODEL-SERVICE-URL
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: reverse-proxy LISTEN-ADDRESS MODEL-SERVICE-URL")
	}
	target, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		// The default keeps two connections per host: under load every request would open one.
		Transport: &http.Transport{
			MaxIdleConns:        256,
			MaxIdleConnsPerHost: 256,
			MaxConnsPerHost:     256,
			IdleConnTimeout:     10 * time.Minute,
			DisableCompression:  true,
		},
	}
	log.Fatal((&http.Server{Addr: os.Args[1], Handler: proxy}).ListenAndServe())
}
