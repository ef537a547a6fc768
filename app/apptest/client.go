package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// callTimeMax bounds one call of a [Client].
const callTimeMax = 60 * time.Second

// pagesMax bounds how many pages of a list are read.
const pagesMax = 10_000

// Client calls a house as storefronts, buyers and staff do. It is safe for concurrent use.
type Client struct {
	House *House
	HTTP  *http.Client
}

// NewClient makes a client of a house.
func NewClient(house *House) *Client {
	return &Client{House: house, HTTP: &http.Client{Timeout: callTimeMax, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// Answer is what a call came to; Err where none came.
type Answer struct {
	Status int
	Header http.Header
	Body   Object
	Raw    string
	Err    error
}

// OK reports whether the call was answered, and with success.
func (a Answer) OK() bool { return a.Err == nil && a.Status >= 200 && a.Status < 300 }

// Problem says why the call was no success.
func (a Answer) Problem() error {
	if a.Err != nil {
		return a.Err
	}
	return fmt.Errorf("answered %d: %s", a.Status, a.Raw)
}

// Text gives a field as text, several names for one inside others; empty for anything else.
func (a Answer) Text(path ...string) string { return a.Body.Text(path...) }

// Object is a JSON object as it was read.
type Object map[string]any

// At gives the value of a field, several names for one inside others; nil for none.
func (o Object) At(path ...string) any {
	var value any = map[string]any(o)
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// Text gives a field as text; empty for one that is none.
func (o Object) Text(path ...string) string {
	text, _ := o.At(path...).(string)
	return text
}

// Int gives a field as a whole number; 0 for one that is none.
func (o Object) Int(path ...string) int64 {
	number, _ := o.At(path...).(float64)
	return int64(number)
}

// List gives the objects in a field that is a list.
func (o Object) List(path ...string) (objects []Object) {
	items, _ := o.At(path...).([]any)
	for _, item := range items {
		if one, ok := item.(map[string]any); ok {
			objects = append(objects, one)
		}
	}
	return objects
}

// Call makes a call with a JSON body (nil for none) and reads a JSON answer.
func (c *Client) Call(ctx context.Context, method, address string, body any, header map[string]string) Answer {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return Answer{Err: err}
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return Answer{Err: err}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return Answer{Err: err}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{Err: err}
	}
	a := Answer{Status: response.StatusCode, Header: response.Header, Raw: string(text)}
	_ = json.Unmarshal(text, &a.Body) // not every answer is an object
	return a
}

// API calls the storefront API; key is the Idempotency-Key, empty for none.
func (c *Client) API(ctx context.Context, method, path string, body any, key string) Answer {
	header := map[string]string{"Authorization": "Bearer " + c.House.APIKey}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	return c.Call(ctx, method, c.House.PublicURL+path, body, header)
}

// GraphQL asks the admin API.
func (c *Client) GraphQL(ctx context.Context, query string, variables map[string]any) Answer {
	return c.Call(ctx, http.MethodPost, c.House.AdminURL+"/graphql", map[string]any{"query": query, "variables": variables},
		map[string]string{"Authorization": "Bearer " + c.House.StaffToken})
}

// Control calls the simulator.
func (c *Client) Control(ctx context.Context, method, path string, body any) Answer {
	return c.Call(ctx, method, c.House.SimulatorURL+"/_control/"+path, body, nil)
}

// All gives all pages of a list of the storefront API.
func (c *Client) All(ctx context.Context, path string) (items []Object, err error) {
	query := url.Values{"limit": {"100"}}
	for range pagesMax {
		page := c.API(ctx, http.MethodGet, path+"?"+query.Encode(), nil, "")
		if !page.OK() {
			return nil, fmt.Errorf("list %s: %w", path, page.Problem())
		}
		items = append(items, page.Body.List("data")...)
		next := page.Text("next_cursor")
		if next == "" {
			return items, nil
		}
		query.Set("cursor", next)
		if path == "/v1/events" {
			query.Set("after", next)
			query.Del("cursor")
		}
	}
	return nil, fmt.Errorf("list %s: more than %d pages", path, pagesMax)
}

// Objects gives what the simulator holds of a type at an account.
func (c *Client) Objects(ctx context.Context, account, kind string) ([]Object, error) {
	a := c.Control(ctx, http.MethodGet, "objects?account="+account+"&type="+kind, nil)
	if !a.OK() {
		return nil, fmt.Errorf("objects of %s: %w", account+" "+kind, a.Problem())
	}
	return a.Body.List("data"), nil
}
