package s3

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

const (
	// uploadsAtOnce limits the number of uploads at a time.
	uploadsAtOnce = 8
	// maxKey limits the length of a key in bytes.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxKey = 1024
	// progressEvery is the number of bytes of a file between two calls of Progress.
	progressEvery = 8 << 20
)

// Action is an S3 deploy action of a pipeline.
type Action struct {
	// Configuration is the action's configuration in the template, with variables and intrinsic functions resolved:
	//
	//	BucketName    required
	//	Extract       required; must be "true", which uploads the artifact's files
	//	ObjectKey     a prefix of all keys; optional
	//	CacheControl  the Cache-Control header of every object; optional
	//
	// Deploy refuses the action's other parameters, because this project's stacks do not set them.
	Configuration map[string]string
	// Authorize stands for IAM. It is called before each upload, for example with "s3:PutObject" and
	// "arn:aws:s3:::blog/index.html", and an error denies the upload. Calls do not overlap. Default: everything is
	// allowed.
	Authorize func(action, resource string) error
	// Progress is called after each upload, and several times during the upload of a large file. Calls do not
	// overlap. Optional.
	Progress func(Progress)
}

// Progress says how much of an artifact has been uploaded.
type Progress struct {
	Key            string // the key of the object that was uploaded last, or is being uploaded
	Objects, Total int    // the number of uploaded objects and of all objects
	Bytes          int64  // the number of uploaded bytes
}

// Result says what a deployment uploaded.
type Result struct {
	Objects int
	Bytes   int64
	// Warnings has a line for each kind of object whose Content-Type browsers may handle wrongly. Types has a line for
	// each kind with all its keys.
	Warnings, Types []string
}

// Error says why a deployment failed.
type Error struct {
	// Code is S3's error code, such as "NoSuchBucket" or "AccessDenied", or CodePipeline's type of failure, which is
	// "ConfigurationError" or "JobFailed".
	Code string
	// Message is S3's message if S3 refused the upload.
	Message string

	cause error
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the error of the S3 client or of Action.Authorize.
func (e *Error) Unwrap() error { return e.cause }

// CodePipeline's types of failures that this action itself can have.
const (
	configurationError = "ConfigurationError"
	jobFailed          = "JobFailed"
)

// Deploy runs CodePipeline's S3 deploy action. artifact is the path of a zip file. Deploy uploads every file, even a
// file that has not changed, and deletes nothing. After a failure the uploaded objects stay. A failure of the action
// is an [*Error].
//
// CodePipeline's action has a time limit of 90 minutes. Deploy has none, and ends early only when ctx is done.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
func Deploy(ctx context.Context, client *awss3.Client, action Action, artifact string) (Result, error) {
	config, err := parseConfiguration(action.Configuration)
	if err != nil {
		return Result{}, err
	}
	d := &deployment{client: client, action: action, config: config}
	err = d.uploadFiles(ctx, artifact)
	d.result.Warnings, d.result.Types = d.guesses.tell(d.result.Objects)
	return d.result, err
}

// configuration is an action's configuration after its check.
type configuration struct{ bucket, prefix, cacheControl string }

func parseConfiguration(values map[string]string) (configuration, error) {
	var c configuration
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		switch name {
		case "BucketName":
			c.bucket = value
		case "Extract":
			if value != "true" {
				problem("Extract is %q, and a rehearsal supports only true", value)
			}
		case "ObjectKey":
			c.prefix = value
		case "CacheControl":
			c.cacheControl = value
		default:
			problem("%s is not a parameter of the S3 deploy action that a rehearsal supports", name)
		}
	}
	if c.bucket == "" {
		problem("BucketName is missing")
	}
	if _, ok := values["Extract"]; !ok {
		problem("Extract is missing")
	}
	if len(problems) > 0 {
		return configuration{}, &Error{Code: configurationError, Message: strings.Join(problems, "; ")}
	}
	return c, nil
}

type deployment struct {
	client *awss3.Client
	action Action
	config configuration

	mu      sync.Mutex // guards the fields below and calls of the action's functions
	total   int
	result  Result
	guesses guesses // about the uploaded objects
}

// uploadFiles uploads the files of the zip file in its order.
func (d *deployment) uploadFiles(ctx context.Context, artifact string) error {
	archive, err := zip.OpenReader(artifact)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // filesOf refuses such paths.
		return fmt.Errorf("read artifact: %w", err)
	}
	defer func() { _ = archive.Close() }() // It was only read.
	files, err := filesOf(&archive.Reader)
	if err != nil {
		return err
	}
	d.total = len(files)

	uploads, uploading := errgroup.WithContext(ctx)
	uploads.SetLimit(uploadsAtOnce)
	for _, file := range files {
		if uploading.Err() != nil {
			break // An upload has failed, or ctx is done. AWS would not continue, either.
		}
		uploads.Go(func() error {
			content, err := file.Open()
			if err != nil {
				return unpackError(file.Name, err)
			}
			defer content.Close()
			key := file.Name
			if d.config.prefix != "" {
				key = strings.TrimSuffix(d.config.prefix, "/") + "/" + key
			}
			return d.upload(uploading, key, content, int64(file.UncompressedSize64)) //nolint:gosec // No artifact has 8 EiB.
		})
	}
	if err := uploads.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// filesOf returns an archive's files. It refuses entries that no build makes, before anything is uploaded: such an
// entry is a mistake or an attack, and AWS does not document what happens to it.
func filesOf(archive *zip.Reader) ([]*zip.File, error) {
	var files []*zip.File
	seen := make(map[string]bool)
	for _, file := range archive.File {
		var fault string
		name := strings.TrimSuffix(file.Name, "/")
		switch {
		case !isLocal(name):
			fault = "the path of a file must be like a/b.html, without a slash at its beginning, and without . and .."
		case file.Mode().IsDir():
			continue // S3 has no folders.
		case !file.Mode().IsRegular():
			fault = "it is not a regular file (" + file.Mode().Type().String() + ")"
		case seen[file.Name]:
			fault = "the artifact has it twice"
		}
		if fault != "" {
			return nil, &Error{Code: jobFailed, Message: fmt.Sprintf("the artifact's file %q is refused: %s", file.Name, fault)}
		}
		seen[file.Name] = true
		files = append(files, file)
	}
	return files, nil
}

// isLocal reports whether a path of an archive stays below the folder into which it is unpacked, on every system.
func isLocal(name string) bool {
	return name != "" && name == path.Clean(name) && !path.IsAbs(name) && name != "." && name != ".." && !strings.HasPrefix(name, "../")
}

func unpackError(name string, err error) error {
	return &Error{Code: jobFailed, Message: fmt.Sprintf("unpack %s: %v", name, err), cause: err}
}

// checkKey refuses keys that S3 refuses with an [*Error], and keys that only the rehearsal's S3 server refuses with
// another error.
func checkKey(key string) error {
	switch {
	case len(key) > maxKey:
		return &Error{Code: "KeyTooLongError", Message: fmt.Sprintf("Your key is too long (%d bytes, the limit is %d: %.60s…); shorten the name of the file or of its folders", len(key), maxKey, key)}
	case !utf8.ValidString(key):
		return &Error{Code: "InvalidURI", Message: fmt.Sprintf("Couldn't parse the specified URI (the name %q is not UTF-8, which S3 requires); rename the file", key)}
	case strings.ContainsFunc(key, notXML):
		return fmt.Errorf("the name %q has a character that XML does not allow: S3 accepts it, but the rehearsal's S3 server cannot list it; rename the file", key)
	}
	return nil
}

// notXML reports whether XML 1.0 does not allow the character: https://www.w3.org/TR/xml/#charsets.
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}

// asFiles lists errors of versitygw that S3 does not have. They occur because versitygw stores objects as files.
var asFiles = []string{"ObjectParentIsFile", "ExistingObjectIsDirectory"}

func (d *deployment) upload(ctx context.Context, key string, content io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := d.authorize(key); err != nil {
		return err
	}
	kind := contentType(key)
	reading := &upload{content: content, looks: needsCharset(kind), told: func(n int64) { d.uploading(key, n) }}
	input := &awss3.PutObjectInput{
		Bucket:      aws.String(d.config.bucket),
		Key:         aws.String(key),
		ContentType: aws.String(kind),
	}
	if d.config.cacheControl != "" {
		input.CacheControl = aws.String(d.config.cacheControl)
	}
	if err := put(ctx, d.client, input, reading, size); err != nil {
		if reading.err != nil && ctx.Err() == nil {
			return unpackError(key, reading.err)
		}
		if refusal, ok := errors.AsType[smithy.APIError](err); ok && slices.Contains(asFiles, refusal.ErrorCode()) {
			return fmt.Errorf("upload %s to %s: a file and a folder have the same name, such as a and a/b. S3 accepts both. The rehearsal's S3 server does not, because it stores objects as files. If one of them is left from an earlier rehearsal, remove the folder that STATE names", key, d.config.bucket)
		}
		if refusal, ok := errors.AsType[smithy.APIError](err); ok {
			return &Error{Code: refusal.ErrorCode(), Message: fmt.Sprintf("%s (upload %s to %s)", refusal.ErrorMessage(), key, d.config.bucket), cause: err}
		}
		return fmt.Errorf("upload %s to %s: %w", key, d.config.bucket, err)
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.result.Objects++
	d.result.Bytes += size
	d.guesses.add(key, kind, reading.notASCII)
	d.progress(key, 0)
	return nil
}

// uploading reports that n bytes of a file have been uploaded.
func (d *deployment) uploading(key string, n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.progress(key, n)
}

// progress reports all finished uploads and n bytes of the file with this key. The caller holds d.mu.
func (d *deployment) progress(key string, n int64) {
	if d.action.Progress != nil {
		d.action.Progress(Progress{Key: key, Objects: d.result.Objects, Total: d.total, Bytes: d.result.Bytes + n})
	}
}

// upload reads the content of a file that is being uploaded, and examines it.
type upload struct {
	content     io.Reader
	told        func(n int64)
	n, lastTold int64
	looks       bool // whether to look for characters that are not ASCII
	notASCII    bool
	err         error // from reading content
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.content.Read(p)
	if err != nil && err != io.EOF {
		u.err = err
	}
	u.n += int64(n)
	if u.n-u.lastTold >= progressEvery {
		u.lastTold = u.n
		u.told(u.n)
	}
	u.notASCII = u.notASCII || u.looks && bytes.ContainsFunc(p[:n], func(r rune) bool { return r >= utf8.RuneSelf })
	return n, err
}

// authorize asks Action.Authorize for the permission that S3 checks on an upload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (d *deployment) authorize(key string) error {
	if d.action.Authorize == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.action.Authorize("s3:PutObject", "arn:aws:s3:::"+d.config.bucket+"/"+key); err != nil {
		return &Error{Code: "AccessDenied", Message: err.Error(), cause: err}
	}
	return nil
}
