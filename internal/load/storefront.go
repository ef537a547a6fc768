package load

import (
	"fmt"
	"net/url"
)

// Storefront makes calls of the storefront API.
type Storefront struct {
	Address string // "http://HOST:PORT"
	APIKey  string
	Prefix  string // of references and idempotency keys, so that runs do not meet
	// Repeats of a hundred calls that create are a call made before, under the same key.
	Repeats int
}

// Create makes calls that each create a checkout, but for the share of repeats.
func (s Storefront) Create(count int) ([]Post, error) {
	target, err := s.target("/v1/checkouts")
	if err != nil {
		return nil, err
	}
	calls := make([]Post, 0, count)
	for i := range count {
		if i > 0 && i*s.Repeats/100 > (i-1)*s.Repeats/100 {
			calls = append(calls, calls[i/2])
			continue
		}
		reference := fmt.Sprintf("%s-%09d", s.Prefix, i)
		body := fmt.Sprintf(`{"reference":%q,"currency":"EUR","success_url":"https://shop.example/thanks",`+
			`"line_items":[{"name":"Green tea","amount":1250,"quantity":2}],"customer":{"email":"buyer@shop.example","name":"Ada Buyer"}}`, reference)
		calls = append(calls, Post{Kind: "create checkout", Wire: wire("POST", target, s.header()+"Idempotency-Key: "+reference+"\r\n", body)})
	}
	return calls, nil
}

// Read makes calls that read what is at a path, such as "/v1/events?limit=10".
func (s Storefront) Read(kind, path string, count int) ([]Post, error) {
	target, err := s.target(path)
	if err != nil {
		return nil, err
	}
	calls := make([]Post, 0, count)
	for range count {
		calls = append(calls, Post{Kind: kind, Wire: wire("GET", target, s.header(), "")})
	}
	return calls, nil
}

func (s Storefront) header() string { return "Authorization: Bearer " + s.APIKey + "\r\n" }

func (s Storefront) target(path string) (*url.URL, error) {
	target, err := url.Parse(s.Address + path)
	if err != nil {
		return nil, fmt.Errorf("storefront address: %w", err)
	}
	return target, nil
}

// Mix has the posts of all follow each other, each kind spread evenly over the whole and in its order.
func Mix(kinds ...[]Post) (mixed []Post) {
	total := 0
	for _, posts := range kinds {
		total += len(posts)
	}
	taken := make([]int, len(kinds))
	for len(mixed) < total {
		// Whoever is the farthest behind its share goes next.
		next, behind := 0, 2.0
		for i, posts := range kinds {
			if len(posts) == 0 {
				continue
			}
			if share := (float64(taken[i]) + 0.5) / float64(len(posts)); share < behind {
				next, behind = i, share
			}
		}
		mixed = append(mixed, kinds[next][taken[next]])
		taken[next]++
	}
	return mixed
}
