package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// server is a real HTTP server on loopback that can go away and come back at
// the same address.
type server struct {
	addr     string
	http     *http.Server
	invoices atomic.Int32
}

func startServer() (*server, error) {
	s := &server{addr: "127.0.0.1:0"}
	return s, s.start()
}

func (s *server) start() error {
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	s.addr = listener.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/invoices", func(w http.ResponseWriter, _ *http.Request) {
		if s.invoices.Add(1) <= 2 {
			http.Error(w, "warming up", http.StatusServiceUnavailable)
			return
		}
		http.Error(w, "who are you?", http.StatusUnauthorized)
	})
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go s.http.Serve(listener) //nolint:errcheck // it ends when it is closed
	return nil
}

func (s *server) url(path string) string { return "http://" + s.addr + path }

func (s *server) stop() { s.http.Close() }

// goDownAndUp plays the outage.
func (s *server) goDownAndUp(ctx context.Context, c *console) {
	if pause(ctx, serverDown) != nil {
		return
	}
	c.say("server", "goes down")
	s.stop()
	if pause(ctx, serverUp-serverDown) != nil {
		return
	}
	if err := s.start(); err != nil {
		c.say("server", "cannot come back: "+err.Error())
		return
	}
	c.say("server", "is back")
}
