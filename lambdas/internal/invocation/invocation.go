// Package invocation has the duties of every invocation of a function, whatever it is
// about: the function answers before Lambda stops it, it answers after a panic, too, and
// no answer, error or log line contains a credential.
package invocation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

// maxValue limits a value in the log, in characters. It is enough for the stack of a
// panic. CloudWatch cuts a line of more than 1 MB into pieces that are no JSON.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const maxValue = 16 << 10

// Log returns the log of a function, which writes each record as a line of JSON without
// credentials. Log also redirects the log package to it, with which aws-lambda-go prints
// the errors that it sends to Lambda.
func Log(to io.Writer) *slog.Logger {
	log := slog.New(slog.NewJSONHandler(redact.Writer(to), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindString {
			a.Value = slog.StringValue(redact.Cut(a.Value.String(), maxValue))
		}
		return a
	}}))
	slog.SetLogLoggerLevel(slog.LevelError) // aws-lambda-go prints nothing else
	slog.SetDefault(log)
	return log
}

// Redacted returns a handler whose answers and errors contain no credentials, because
// Lambda logs errors and passes them on. It turns a panic into an error.
func Redacted(log *slog.Logger, handler lambda.Handler) lambda.Handler {
	return redacted{log, handler}
}

type redacted struct {
	log     *slog.Logger
	handler lambda.Handler
}

// Invoke implements lambda.Handler.
func (r redacted) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var answer []byte
	err := Guard(func() *slog.Logger { return r.log },
		func() (err error) { answer, err = r.handler.Invoke(ctx, event); return err },
		func(message string) error { return errors.New(message) })
	if err != nil {
		return nil, failure(printable(redact.Text(err.Error())))
	}
	return []byte(redact.Text(string(answer))), nil
}

// failure is an error that has nothing but its text.
type failure string

func (f failure) Error() string { return string(f) }

// printable replaces control characters by spaces. aws-lambda-go also sends errors in a
// header. It cannot send a header with a DEL, and would end the process.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// NoAnswer is the answer of a function whose caller does not read it.
var NoAnswer = []byte("null")

// maxReportTime is enough for a report with a few retries.
const maxReportTime = 15 * time.Second

// Split divides the time until Lambda stops the function: the last quarter, at most 15
// seconds, is for the report. The second context does not end with the first. It ends a
// little before Lambda stops the function, so that the function can log a report that it
// could not send.
func Split(ctx context.Context, now time.Time) (working, reporting context.Context, cancel func()) {
	deadline, limited := ctx.Deadline()
	if !limited { // not under Lambda
		deadline = now.Add(time.Minute)
	}
	keep := min(deadline.Sub(now)/4, maxReportTime)
	working, cancelWorking := context.WithDeadline(ctx, deadline.Add(-keep))
	reporting, cancelReporting := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(-keep/10))
	return working, reporting, func() { cancelWorking(); cancelReporting() }
}

// ErrReportedBefore says that the caller has a report already: the event came twice, or
// the answer to an earlier report was lost. It is no failure.
var ErrReportedBefore = errors.New("there is a report already")

// Reported logs how an attempt to report went. It returns whether the report counts in
// the metrics, and an error if the report was not sent: Lambda then delivers the event
// again. A second report counts only if it reports a failure: nobody knows whether the
// first one was counted, and it is better to count a failure twice than never.
func Reported(log *slog.Logger, failed bool, err error) (counts bool, _ error) {
	switch {
	case errors.Is(err, ErrReportedBefore):
		log.Info("reported before; this delivery changes nothing")
		return failed, nil
	case err != nil:
		log.Error("report not sent", "error", err.Error())
		return false, err
	}
	return true, nil
}

// maxCause limits the cause of a panic in a message, in characters.
const maxCause = 500

// Guard returns what work returns. If work panics, Guard logs the cause and the stack
// with the logger that log returns at that moment, and returns what panicked returns for
// a message to the owner.
func Guard[Result any](log func() *slog.Logger, work func() Result, panicked func(message string) Result) (result Result) {
	defer func() {
		if cause := recover(); cause != nil {
			log().Error("panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			result = panicked(fmt.Sprintf("the function panicked: %s. Its log has the stack", redact.Line(fmt.Sprint(cause), maxCause)))
		}
	}()
	return work()
}
