package lambdaruntime

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxResponseBytes is Lambda's limit for a buffered response, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxResponseBytes = 6<<20 + 100

// api serves the Lambda Runtime API (2018-06-01) to one process.
type api struct {
	mux *http.ServeMux

	ready      chan struct{} // receives a value each time the process asks for work
	work       chan *invocation
	initErrors chan report

	mu      sync.Mutex
	current *invocation // the invocation that the process runs
	done    bool        // whether the process has reported current
}

// invocation is one event that the process handles.
type invocation struct {
	id, arn  string
	event    []byte
	deadline time.Time
	reported chan report // receives exactly one report
}

// report is the process's report about an invocation or about its initialisation.
type report struct {
	payload []byte
	err     *FunctionError
}

func newAPI() *api {
	a := &api{
		mux:        http.NewServeMux(),
		ready:      make(chan struct{}, 1),
		work:       make(chan *invocation, 1),
		initErrors: make(chan report, 1),
	}
	const prefix = "/2018-06-01/runtime"
	a.mux.HandleFunc("GET "+prefix+"/invocation/next", a.next)
	a.mux.HandleFunc("POST "+prefix+"/invocation/{id}/response", a.response)
	a.mux.HandleFunc("POST "+prefix+"/invocation/{id}/error", a.invocationError)
	a.mux.HandleFunc("POST "+prefix+"/init/error", a.initError)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// begin hands an invocation to the process, which must have asked for work before.
func (a *api) begin(inv *invocation) { a.work <- inv }

func (a *api) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if a.current != nil && !a.done {
		a.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the current invocation has not been reported yet")
		return
	}
	a.current, a.done = nil, false
	a.mu.Unlock()

	// The channel is full if the process asked before and dropped that request.
	select {
	case a.ready <- struct{}{}:
	default:
	}
	var inv *invocation
	select {
	case inv = <-a.work:
	case <-r.Context().Done():
		return
	}
	a.mu.Lock()
	a.current = inv
	a.mu.Unlock()

	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	_, _ = w.Write(inv.event) // If the process has ended, its exit status shows it.
}

func (a *api) response(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponseBytes+1))
	if err != nil {
		return // The process died before its answer was complete.
	}
	if len(payload) > maxResponseBytes {
		a.report(r.PathValue("id"), failedReport("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."))
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes).")
		return
	}
	rep := report{payload: payload}
	// A streamed response that fails in the middle reports the error in its trailer.
	if errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); errorType != "" {
		body, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		rep = errorReport(body, errorType)
	}
	a.accept(w, r.PathValue("id"), rep)
}

func (a *api) invocationError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponseBytes))
	if err != nil {
		return
	}
	a.accept(w, r.PathValue("id"), errorReport(payload, r.Header.Get("Lambda-Runtime-Function-Error-Type")))
}

func (a *api) initError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponseBytes))
	if err != nil {
		return
	}
	select {
	case a.initErrors <- errorReport(payload, r.Header.Get("Lambda-Runtime-Function-Error-Type")):
		respond(w, http.StatusAccepted, map[string]string{"status": "OK"})
	default:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the initialisation error has already been reported")
	}
}

func (a *api) accept(w http.ResponseWriter, id string, rep report) {
	if code, message := a.report(id, rep); code != "" {
		refuse(w, http.StatusBadRequest, code, message)
		return
	}
	respond(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// report records the report about the current invocation, or returns the error code and message of a refusal.
func (a *api) report(id string, rep report) (code, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current == nil || a.current.id != id:
		return "InvalidRequestID", "Invalid request ID"
	case a.done:
		return "InvalidStateTransition", "the invocation has already been reported"
	}
	a.done = true
	a.current.reported <- rep
	return "", ""
}

// errorReport reads an error that the process reports. The header's type counts if the body has none.
func errorReport(payload []byte, headerType string) report {
	failure := FunctionError{}
	_ = json.Unmarshal(payload, &failure) // Lambda accepts any body.
	if failure.ErrorType == "" {
		failure.ErrorType = headerType
	}
	if failure.ErrorType == "" {
		failure.ErrorType = "Unhandled"
	}
	return report{payload: payload, err: &failure}
}

func failedReport(errorType, message string) report {
	result := failed("", errorType, message)
	return report{payload: result.Payload, err: result.Err}
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	respond(w, status, FunctionError{ErrorType: errorType, ErrorMessage: message})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
