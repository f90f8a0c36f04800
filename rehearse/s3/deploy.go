package s3

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

const (
	// uploadsAtOnce is how many files are uploaded at a time.
	uploadsAtOnce = 8
	// maxKey is how many bytes a key can have.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxKey = 1024
	// progressEvery is how much of a file is uploaded until Progress is told again.
	progressEvery = 8 << 20
)

// Action is an S3 deploy action of a pipeline.
type Action struct {
	// Configuration is the action's, as in the template, with variables and intrinsics resolved:
	//
	//	BucketName           required
	//	Extract              required: "true" uploads the artifact's files, "false" the artifact itself
	//	ObjectKey            the key; with Extract "true" an optional prefix of all keys
	//	CacheControl         the Cache-Control header of every object
	//	CannedACL            the ACL of every object, such as "private"; checked, but see Result.Notes
	//	KMSEncryptionKeyARN  accepted, but see Result.Notes
	Configuration map[string]string
	// Authorize plays IAM for the action's role: it is asked before each upload, for example for
	// "s3:PutObject" on "arn:aws:s3:::blog/index.html", and an error is a denial. It is never called
	// twice at a time. Default: everything is allowed.
	Authorize func(action, resource string) error
	// Progress is told after each upload, and now and then in a large one, what has been uploaded so far. It
	// is never called twice at a time. Default: nobody is told.
	Progress func(Progress)
}

// Progress is how far a deployment has come.
type Progress struct {
	Key            string // of the object uploaded last, or just now
	Objects, Total int
	Bytes          int64
}

// Result is what a deployment did.
type Result struct {
	Objects int
	Bytes   int64
	// Notes say where the rehearsal knowingly does less than AWS.
	Notes []string
	// Warnings say which objects browsers may not take for what they are, in a line for each kind; Types names
	// them all.
	Warnings, Types []string
}

// Error is why a deployment failed, in S3's words where S3 refused.
type Error struct {
	// Code is S3's error code, such as "NoSuchBucket" or "AccessDenied", or CodePipeline's type of
	// failure: "ConfigurationError", "JobFailed".
	Code string
	// Message is for people.
	Message string

	cause error
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns what S3's client or Action.Authorize said.
func (e *Error) Unwrap() error { return e.cause }

// The types of failure that CodePipeline knows and this action can have by itself.
const (
	configurationError = "ConfigurationError"
	jobFailed          = "JobFailed"
)

// Deploy does what CodePipeline's S3 deploy action does with the artifact, a zip file: it uploads every
// file, also those that have not changed, and deletes nothing. Objects uploaded before a failure stay.
// A failure of the action is an [*Error].
//
// CodePipeline gives up after 90 minutes; here only ctx ends a deployment.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
func Deploy(ctx context.Context, client *awss3.Client, action Action, artifact string) (Result, error) {
	config, err := parseConfiguration(action.Configuration)
	if err != nil {
		return Result{}, err
	}
	d := &deployment{client: client, action: action, config: config}
	if config.kmsKey != "" {
		d.result.Notes = append(d.result.Notes, "KMSEncryptionKeyARN is not rehearsed: nothing is encrypted here, and that the role may use "+config.kmsKey+" (kms:GenerateDataKey) is not checked")
	}
	if config.acl != "" {
		d.result.Notes = append(d.result.Notes, "CannedACL is not rehearsed: objects have no ACLs here; a bucket whose ACLs are off, as they are in every bucket made since April 2023 unless somebody turned them on, refuses all but bucket-owner-full-control (AccessControlListNotSupported)")
	}
	if config.extract {
		err = d.uploadFiles(ctx, artifact)
	} else {
		err = d.uploadArtifact(ctx, artifact)
	}
	d.result.Warnings, d.result.Types = d.guesses.tell(d.result.Objects)
	return d.result, err
}

// configuration is an action's configuration, checked.
type configuration struct {
	bucket, objectKey, cacheControl, acl, kmsKey string
	extract                                      bool
}

// cannedACLs are what CannedACL can be; a bucket's "log-delivery-write" is not for objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
var cannedACLs = types.ObjectCannedACL("").Values()

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
			if value != "true" && value != "false" {
				problem("Extract is %q; it must be true or false", value)
			}
			c.extract = value == "true"
		case "ObjectKey":
			c.objectKey = value
		case "CacheControl":
			c.cacheControl = value
		case "CannedACL":
			if !slices.Contains(cannedACLs, types.ObjectCannedACL(value)) {
				problem("CannedACL is %q; it must be one of %v", value, cannedACLs)
			}
			c.acl = value
		case "KMSEncryptionKeyARN":
			c.kmsKey = value
		default:
			problem("%s is no parameter of the S3 deploy action", name)
		}
	}
	if c.bucket == "" {
		problem("BucketName is missing")
	}
	if _, ok := values["Extract"]; !ok {
		problem("Extract is missing")
	}
	if values["Extract"] == "false" && c.objectKey == "" {
		problem("ObjectKey is missing; it is required when Extract is false")
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

	mu     sync.Mutex // guards result, and calls of the action's functions
	total  int
	result Result
	// guesses are of what was uploaded.
	guesses guesses
}

// uploadArtifact uploads the zip file as it is.
func (d *deployment) uploadArtifact(ctx context.Context, artifact string) error {
	content, err := os.Open(artifact)
	if err != nil {
		return fmt.Errorf("read artifact: %w", err)
	}
	defer func() { _ = content.Close() }() // It was only read.
	info, err := content.Stat()
	if err != nil {
		return fmt.Errorf("read artifact: %w", err)
	}
	d.total = 1
	return d.upload(ctx, d.config.objectKey, content, info.Size())
}

// uploadFiles uploads the files in the zip file, in its order.
func (d *deployment) uploadFiles(ctx context.Context, artifact string) error {
	archive, err := zip.OpenReader(artifact)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // Those are refused below, by name.
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
			break // One has failed, or ctx is done: AWS would not go on either.
		}
		uploads.Go(func() error {
			content, err := file.Open()
			if err != nil {
				return unpackError(file.Name, err)
			}
			defer content.Close()
			key := file.Name
			if d.config.objectKey != "" {
				key = strings.TrimSuffix(d.config.objectKey, "/") + "/" + key
			}
			return d.upload(uploading, key, content, int64(file.UncompressedSize64)) //nolint:gosec // No artifact has 8 EiB.
		})
	}
	if err := uploads.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// filesOf lists an archive's files. What could not be a file of a build is refused before anything is
// uploaded: what AWS makes of it is not documented, and it is a mistake or an attack.
func filesOf(archive *zip.Reader) ([]*zip.File, error) {
	var files []*zip.File
	seen := make(map[string]bool)
	for _, file := range archive.File {
		var fault string
		name := strings.TrimSuffix(file.Name, "/")
		switch {
		case !isLocal(name):
			fault = "a file of an artifact has a path like a/b.html, that does not begin with a slash or have . or .. in it"
		case file.Mode().IsDir():
			continue // S3 has no folders.
		case !file.Mode().IsRegular():
			fault = "it is no regular file (" + file.Mode().Type().String() + ")"
		case seen[file.Name]:
			fault = "it is in there twice"
		}
		if fault != "" {
			return nil, &Error{Code: jobFailed, Message: fmt.Sprintf("the artifact's file %q is refused: %s", file.Name, fault)}
		}
		seen[file.Name] = true
		files = append(files, file)
	}
	return files, nil
}

// isLocal reports whether an archive's path stays below the folder it is unpacked in, on any system.
func isLocal(name string) bool {
	return name != "" && name == path.Clean(name) && !path.IsAbs(name) && name != "." && name != ".." && !strings.HasPrefix(name, "../")
}

func unpackError(name string, err error) error {
	return &Error{Code: jobFailed, Message: fmt.Sprintf("unpack %s: %v", name, err), cause: err}
}

// checkKey refuses what S3 refuses and, in other words, what only the S3 server of a rehearsal cannot do.
func checkKey(key string) error {
	switch {
	case len(key) > maxKey:
		return &Error{Code: "KeyTooLongError", Message: fmt.Sprintf("Your key is too long (%d bytes, and %d is the most: %.60s…); shorten the file's name, or those of its folders", len(key), maxKey, key)}
	case !utf8.ValidString(key):
		return &Error{Code: "InvalidURI", Message: fmt.Sprintf("Couldn't parse the specified URI (the name of %q is not UTF-8, as S3's keys are); rename the file", key)}
	case strings.ContainsFunc(key, notXML):
		return fmt.Errorf("the name of %q has a character that XML cannot have: S3 takes it, and the S3 server of rehearsals cannot list it", key)
	}
	return nil
}

// notXML reports whether XML 1.0 cannot have the character: https://www.w3.org/TR/xml/#charsets.
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}

// asFiles are the errors of a server that keeps objects as files: S3 has none of them.
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
		ACL:         types.ObjectCannedACL(d.config.acl),
	}
	if d.config.cacheControl != "" {
		input.CacheControl = aws.String(d.config.cacheControl)
	}
	if err := Put(ctx, d.client, input, reading, size); err != nil {
		if reading.err != nil && ctx.Err() == nil {
			return unpackError(key, reading.err)
		}
		if refusal, ok := errors.AsType[smithy.APIError](err); ok && slices.Contains(asFiles, refusal.ErrorCode()) {
			return fmt.Errorf("upload %s to %s: a name is there for a file and for a folder, such as a beside a/b. S3 takes both; the S3 server of rehearsals, which keeps objects as files, cannot. Where one of them is of an earlier site, remove what STATE keeps", key, d.config.bucket)
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

// uploading tells how much of a file is uploaded.
func (d *deployment) uploading(key string, n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.progress(key, n)
}

// progress tells what is uploaded, besides so much of the file with that key. d is locked.
func (d *deployment) progress(key string, n int64) {
	if d.action.Progress != nil {
		d.action.Progress(Progress{Key: key, Objects: d.result.Objects, Total: d.total, Bytes: d.result.Bytes + n})
	}
}

// upload reads what is uploaded, and takes note of it.
type upload struct {
	content     io.Reader
	told        func(n int64)
	n, lastTold int64
	looks       bool // for what is not ASCII
	notASCII    bool
	err         error // of content
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.content.Read(p)
	if err != nil && err != io.EOF { // As io.Reader has it.
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

// authorize asks for what S3 checks on an upload: an ACL in the request needs a permission of its own.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (d *deployment) authorize(key string) error {
	if d.action.Authorize == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	actions := []string{"s3:PutObject"}
	if d.config.acl != "" {
		actions = append(actions, "s3:PutObjectAcl")
	}
	for _, action := range actions {
		if err := d.action.Authorize(action, "arn:aws:s3:::"+d.config.bucket+"/"+key); err != nil {
			return &Error{Code: "AccessDenied", Message: err.Error(), cause: err}
		}
	}
	return nil
}
