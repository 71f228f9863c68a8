// SPDX-License-Identifier: Apache-2.0

// Package daypass is what Traefik needs for daypass beside forwardAuth, as a local plugin (docs/proxies.md).
//
// As "tell" it stands before forwardAuth: how long the body is that stays here, which some clients sign.
// As "obey" it stands behind: of a presigned URL daypass answers what is left without its credential, and that goes on.
package daypass

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

const (
	length = "X-Original-Content-Length"
	target = "X-Daypass-Uri"
)

// Config is what the middleware is configured with.
type Config struct {
	Do string `json:"do,omitempty"`
}

// CreateConfig makes a configuration that does nothing.
func CreateConfig() *Config {
	return &Config{}
}

// New makes the middleware.
func New(_ context.Context, next http.Handler, config *Config, _ string) (http.Handler, error) {
	tells := config.Do == "tell"
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if tells {
			tell(request)
		} else if !obey(request) {
			http.Error(answer, "Bad Gateway", http.StatusBadGateway)
			return
		}
		next.ServeHTTP(answer, request)
	}), nil
}

// tell says it instead of anything that the client says under this name.
func tell(request *http.Request) {
	if request.ContentLength < 0 {
		request.Header.Set(length, "chunked")
	} else {
		request.Header.Set(length, strconv.FormatInt(request.ContentLength, 10))
	}
}

// obey reports whether the request can go on.
func obey(request *http.Request) bool {
	uri := request.Header.Get(target)
	request.Header.Del(target)
	request.Header.Del(length)
	if uri == "" {
		return true
	}
	wanted, err := url.ParseRequestURI(uri)
	if err != nil {
		return false
	}
	request.URL.Path, request.URL.RawPath, request.URL.RawQuery = wanted.Path, wanted.RawPath, wanted.RawQuery
	request.RequestURI = uri
	return true
}
