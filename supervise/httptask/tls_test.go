package httptask_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/supervise/httptask"
)

// certificate makes one for 127.0.0.1, as two files and as a pool that trusts it.
func certificate(t *testing.T) (certFile, keyFile string, trusted *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted = x509.NewCertPool()
	trusted.AddCert(cert)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret), trusted
}

// badCiphers returns a server whose TLSConfig HTTP/2 refuses.
func badCiphers(t *testing.T) *http.Server {
	certFile, keyFile, _ := certificate(t)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Server{TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{cert},
		MaxVersion:   tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
	}}
}

// TestTLS serves HTTP/1 and HTTP/2 by each way to give a certificate. Requests under way
// finish.
func TestTLS(t *testing.T) {
	certFile, keyFile, trusted := certificate(t)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config *tls.Config
		opt    httptask.Option
	}{
		"files":              {nil, httptask.WithTLS(certFile, keyFile)},
		"files and a config": {&tls.Config{MinVersion: tls.VersionTLS13}, httptask.WithTLS(certFile, keyFile)},
		"Certificates":       {&tls.Config{Certificates: []tls.Certificate{cert}}, nil},
		"GetCertificate": {&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &cert, nil
		}}, nil},
		"GetConfigForClient": {&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}, nil
		}}, nil},
	} {
		for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(name+" "+proto, func(t *testing.T) {
				addr, here, release := make(chan string, 1), make(chan struct{}), make(chan struct{})
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					close(here)
					<-release
					io.WriteString(w, r.Proto)
				})
				draining := make(chan struct{})
				task := start(httptask.Serve(func(context.Context) (*http.Server, error) {
					srv := &http.Server{Handler: handler, TLSConfig: test.config}
					srv.RegisterOnShutdown(func() { close(draining) })
					return srv, nil
				}, free(addr), test.opt, httptask.WithDrain(time.Hour)))
				transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: proto == "HTTP/2.0"}
				defer transport.CloseIdleConnections()
				body := make(chan string)
				go func() {
					text, err := get(&http.Client{Transport: transport}, "https://"+<-addr)
					if err != nil {
						text = err.Error()
					}
					body <- text
				}()
				<-here
				task.stop(errStop)
				<-draining
				close(release)
				if got := <-body; got != proto {
					t.Errorf("the request got %q", got)
				}
				if err := <-task.err; err != errStop {
					t.Errorf("it ended with %v", err)
				}
				if test.config != nil && test.config.NextProtos != nil {
					t.Error("the config that was given has been changed")
				}
			})
		}
	}
}

func TestTLSFails(t *testing.T) {
	certFile, _, _ := certificate(t)
	for name, test := range map[string]struct{ keyFile, want string }{
		"no such file": {"nowhere.pem", "nowhere.pem: no such file"},
		"no key":       {certFile, "private key"},
	} {
		t.Run(name, func(t *testing.T) {
			err := httptask.Serve(with(hello), httptask.WithTLS(certFile, test.keyFile), httptask.WithListen(func(context.Context) (net.Listener, error) {
				t.Error("it listens")
				return nil, errBoom
			}))(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "httptask: WithTLS(") || strings.Contains(err.Error(), "\n") {
				t.Fatal(err)
			}
			mustContain(t, err.Error(), test.want)
		})
	}
}
