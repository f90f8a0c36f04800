package lambdaruntime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/google/uuid"

	"blog-deploy-pipeline/rehearse/leftovers"
)

// environment is one execution environment: a process and its own Runtime API. It runs one invocation at a time.
type environment struct {
	fn           Function
	arn          string
	cmd          *exec.Cmd
	started      time.Time
	initDuration time.Duration // set by init

	api    *api
	exited chan struct{} // closed when the process has been reaped and the API has been closed
	exit   error         // how the process ended; valid after exited is closed
}

func startEnvironment(fn Function, output *os.File) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for runtime API: %w", err)
	}
	variables := processEnvironment(fn, listener.Addr().String())
	env := &environment{
		fn:     fn,
		arn:    fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", variables["AWS_REGION"], accountID, fn.Name),
		api:    newAPI(),
		exited: make(chan struct{}),
	}
	server := &http.Server{Handler: env.api}
	go func() { _ = server.Serve(listener) }() // Serve returns ErrServerClosed after Close below.

	env.cmd = exec.Command(fn.Binary) //nolint:noctx // The process outlives the invocation that starts it. kill ends it.
	env.cmd.Dir = filepath.Dir(fn.Binary)
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		env.cmd.Env = append(env.cmd.Env, key+"="+variables[key])
	}
	env.cmd.Stdout, env.cmd.Stderr = output, output
	// The process leads a process group of its own, so that kill also ends the processes that it starts.
	env.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	env.started = time.Now()
	if err := env.cmd.Start(); err != nil {
		_ = server.Close()
		return nil, fmt.Errorf("start process: %w", err)
	}
	revoke, err := leftovers.KillGroup(env.cmd.Process.Pid)
	if err != nil {
		env.kill()
		return nil, errors.Join(err, env.cmd.Wait(), server.Close())
	}
	go func() {
		env.exit = env.cmd.Wait()
		env.kill() // Other processes of the group may still run.
		revoke()
		_ = server.Close()
		close(env.exited)
	}()
	return env, nil
}

// processEnvironment returns all environment variables of the process.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func processEnvironment(fn Function, apiAddress string) map[string]string {
	variables := map[string]string{
		"AWS_ACCESS_KEY_ID":     "ASIAREHEARSALEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "rehearsal/secret/access/key/EXAMPLE/only",
		"AWS_SESSION_TOKEN":     "rehearsal-session-token-EXAMPLE",
		"AWS_REGION":            defaultRegion,
		"LANG":                  "en_US.UTF-8",
		"LAMBDA_TASK_ROOT":      filepath.Dir(fn.Binary),
		"PATH":                  "/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ":                    ":UTC",
		"_HANDLER":              filepath.Base(fn.Binary),
	}
	maps.Copy(variables, fn.Env)
	maps.Copy(variables, map[string]string{
		"AWS_DEFAULT_REGION":              variables["AWS_REGION"],
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(fn.MemoryMB),
		"AWS_LAMBDA_FUNCTION_NAME":        fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + fn.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      time.Now().UTC().Format("2006/01/02/") + "[$LATEST]" + uuid.NewString(),
		"AWS_LAMBDA_RUNTIME_API":          apiAddress,
	})
	return variables
}

func (env *environment) alive() bool {
	select {
	case <-env.exited:
		return false
	default:
		return true
	}
}

// kill kills the whole process group. It does not wait for the end; env.exited is closed then.
func (env *environment) kill() { env.signal(syscall.SIGKILL) }

// signal sends a signal to the whole process group.
func (env *environment) signal(s syscall.Signal) {
	if !env.alive() {
		return // The process has been reaped, and the system may have given its id to another one.
	}
	// An error means that the group has already ended.
	_ = syscall.Kill(-env.cmd.Process.Pid, s)
}

// stop kills the process group and waits for its end.
func (env *environment) stop() {
	env.kill()
	<-env.exited
}

// init waits for the first request for work. If the function fails before, fault says how.
func (env *environment) init(ctx context.Context, requestID string) (fault *Result, err error) {
	timer := time.NewTimer(initLimit)
	defer timer.Stop()
	select {
	case <-env.api.ready:
		env.initDuration = time.Since(env.started)
		return nil, nil
	case report := <-env.api.initErrors:
		env.stop()
		return &Result{Payload: report.payload, Err: report.err, RequestID: requestID}, nil
	case <-env.exited:
		select {
		case report := <-env.api.initErrors: // The process reported an error before it ended.
			return &Result{Payload: report.payload, Err: report.err, RequestID: requestID}, nil
		default:
			return env.exitResult(requestID), nil
		}
	case <-timer.C:
		env.stop()
		return timedOut(requestID, initLimit), nil
	case <-ctx.Done():
		env.stop()
		return nil, ctx.Err()
	}
}

// run hands one event to the process and writes the outcome to result. If alive is true, the environment can run
// another invocation.
func (env *environment) run(ctx context.Context, result *Result, event []byte) (alive bool, err error) {
	start := time.Now()
	timer := time.NewTimer(env.fn.Timeout)
	defer timer.Stop()
	defer func() { result.Duration = time.Since(start) }()
	adopt := func(from *Result) { result.Payload, result.Err = from.Payload, from.Err }

	inv := &invocation{
		id:       result.RequestID,
		arn:      env.arn,
		event:    event,
		deadline: start.Add(env.fn.Timeout),
		reported: make(chan report, 1),
	}
	env.api.begin(inv)

	for {
		select {
		// As at Lambda, an invocation ends when the process asks for more work, not when it answers.
		case <-env.api.ready:
			select {
			case report := <-inv.reported:
				result.Payload, result.Err = report.payload, report.err
				result.MaxRSSKB, result.CPU = PeakRSS(env.cmd.Process.Pid), usedCPU(env.cmd.Process.Pid)
				return true, nil
			default: // The process repeated an older request for work. The report is still to come.
			}
		case <-env.exited:
			select {
			case report := <-inv.reported: // The process answered and then ended, as a Go function that panics does.
				result.Payload, result.Err = report.payload, report.err
			default:
				adopt(env.exitResult(result.RequestID))
			}
			return false, nil
		case <-timer.C:
			env.stop()
			adopt(timedOut(result.RequestID, env.fn.Timeout))
			return false, nil
		case <-ctx.Done():
			env.stop()
			return false, ctx.Err()
		}
	}
}

// exitResult returns the result that Lambda reports for a process that ended without an answer.
func (env *environment) exitResult(requestID string) *Result {
	message := "Runtime exited without providing a reason"
	if exit := (*exec.ExitError)(nil); errors.As(env.exit, &exit) {
		message = "Runtime exited with error: " + exit.Error()
	}
	result := failed(requestID, typeExitError, fmt.Sprintf("RequestId: %s Error: %s", requestID, message))
	return &result
}

func timedOut(requestID string, after time.Duration) *Result {
	result := failed(requestID, typeTimedOut, fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, after.Seconds()))
	return &result
}

// PeakRSS returns the peak resident memory of a process in KB, or 0 where the system does not tell. It does not use
// the resource usage at exit, because on Linux that includes the memory of the parent process before exec.
func PeakRSS(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kb, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
			return kb
		}
	}
	return 0
}

// usedCPU returns the processor time of a process, or 0 where the system does not tell.
func usedCPU(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The fields after the name, which may contain anything, are the third and later ones of proc_pid_stat(5).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime
		n, _ := strconv.ParseInt(string(field), 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100 // Linux tells all programs 100 ticks a second.
}
