package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// postTimeMax is how long one post may take before it counts as failed.
const postTimeMax = 10 * time.Second

// Step is a stretch of time at one rate.
type Step struct {
	PerSecond int
	For       time.Duration
}

// Flat posts everything as fast as a number of connections can.
func Flat(ctx context.Context, host string, posts []Post, connections int) (Report, error) {
	return run(ctx, host, posts, connections, func(int) time.Duration { return 0 })
}

// Steps posts at fixed rates, one after the other, whatever the server does.
func Steps(ctx context.Context, host string, posts []Post, connections int, steps ...Step) (Report, error) {
	due := make([]time.Duration, 0, len(posts))
	var start time.Duration
	for _, step := range steps {
		for i := range int(step.For.Seconds() * float64(step.PerSecond)) {
			due = append(due, start+time.Duration(i)*time.Second/time.Duration(step.PerSecond))
		}
		start += step.For
	}
	if len(due) > len(posts) {
		return Report{}, fmt.Errorf("%d posts are needed, %d given", len(due), len(posts))
	}
	return run(ctx, host, posts[:len(due)], connections, func(i int) time.Duration { return due[i] })
}

// sample is how one post went.
type sample struct {
	status int
	took   time.Duration
}

// run shares the posts out among connections. due tells when a post is to leave,
// measured from the start; the past means at once.
func run(ctx context.Context, host string, posts []Post, connections int, due func(int) time.Duration) (Report, error) {
	queue := make(chan int, connections)
	samples := make([]sample, len(posts))
	var group sync.WaitGroup
	failed := make([]error, connections)
	start := time.Now()
	for worker := range connections {
		group.Go(func() { failed[worker] = work(ctx, host, posts, samples, queue, start, due) })
	}
	for i := range posts {
		if !until(ctx, start.Add(due(i))) {
			break
		}
		queue <- i // where all connections are busy it leaves late, and its wait counts
	}
	close(queue)
	group.Wait()
	return reportOf(posts, samples, time.Since(start)), errors.Join(errors.Join(failed...), ctx.Err())
}

// until waits for a moment; false where ctx is done.
func until(ctx context.Context, moment time.Time) bool {
	if wait := time.Until(moment); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// work posts over one connection, and a new one where that broke.
func work(ctx context.Context, host string, posts []Post, samples []sample, queue <-chan int, start time.Time, due func(int) time.Duration) error {
	var dialer net.Dialer
	var conn net.Conn
	var reader *bufio.Reader
	var lost error
	for i := range queue {
		from := start.Add(due(i))
		if due(i) == 0 {
			from = time.Now()
		}
		if conn == nil {
			dialed, err := dialer.DialContext(ctx, "tcp", host)
			if err != nil {
				lost = err
				samples[i] = sample{took: time.Since(from)}
				continue
			}
			conn, reader = dialed, bufio.NewReader(dialed)
		}
		status, err := post(conn, reader, posts[i].Wire)
		samples[i] = sample{status: status, took: time.Since(from)}
		if err != nil {
			lost = errors.Join(err, conn.Close())
			conn = nil
		}
	}
	if conn != nil {
		return errors.Join(lost, conn.Close())
	}
	return lost
}

func post(conn net.Conn, reader *bufio.Reader, wire []byte) (int, error) {
	if err := conn.SetDeadline(time.Now().Add(postTimeMax)); err != nil {
		return 0, err
	}
	if _, err := conn.Write(wire); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, errors.Join(err, answer.Body.Close())
	}
	return answer.StatusCode, answer.Body.Close()
}
