package app

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// readyTimeMax is how long one look at the database and the journal may take.
const readyTimeMax = 2 * time.Second

// opsHandler serves health, readiness and metrics.
func (a *App) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", a.Telemetry.Metrics())
	return mux
}

// readyz says whether the process can do its work, and if not, which part cannot.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeMax)
	defer cancel()
	answer := map[string]string{"status": "ready", "database": "ok", "journal": "ok"}
	status := http.StatusOK
	for part, check := range map[string]func(context.Context) error{"database": a.Store.Ready, "journal": a.Journal.Ready} {
		if err := check(ctx); err != nil {
			answer["status"], answer[part] = "not ready", err.Error()
			status = http.StatusServiceUnavailable
		}
	}
	writeStatus(w, status, answer)
}

func writeStatus(w http.ResponseWriter, status int, answer map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A caller that hung up is no concern of ours.
	_ = json.NewEncoder(w).Encode(answer) //nolint:errchkjson // see above
}
