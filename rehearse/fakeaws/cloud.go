// Package fakeaws is a double of the AWS APIs that the Lambda functions call: CloudFront's invalidations,
// CodePipeline's job results, the lifecycle hooks of CodeDeploy and of ECS, STS, and S3's objects; and of
// those that the owner's commands call: what CodePipeline tells of pipelines, what CodeDeploy and ECS tell of
// deployments, and Lambda's Invoke. It runs in this process and is as strict as AWS. It keeps no objects: what a caller
// may do, a real S3 server does ([Options.S3]).
//
// A [Cloud] is one AWS account behind one HTTP endpoint. [Cloud.AddRole] and [Distribution] can add roles and
// distributions of other accounts. Clients reach the cloud as they reach AWS: through the AWS SDK, with
// AWS_ENDPOINT_URL or a client's BaseEndpoint set to the cloud's address.
//
// Every request must have a Signature Version 4 for the right service and Region, made with a key that the cloud
// issued ([Cloud.Issue]). The cloud enforces every limit of AWS's API models. It refuses requests that it does not
// support, because a test against a lenient double proves nothing about AWS.
//
// Tests control the cloud from outside the protocol. [Options.Authorize] stands for IAM, and [Options.Fault] makes
// the network or a service fail. [Cloud.StartAction] stands for the pipeline that starts jobs,
// [Cloud.StartDeployment] for CodeDeploy and [Cloud.StartServiceDeployment] for ECS. [Cloud.SetExecution] says what has
// become of a pipeline, and [Cloud.AddFunction] what a function answers.
package fakeaws

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"

	// maxRequestBytes limits the size of a request. CloudFront documents no limit. The largest valid request has 3,000
	// paths of 4,000 characters, which are 12 MB.
	maxRequestBytes = 16 << 20
)

// Options configure a [Cloud]. With the zero value everything is allowed and nothing fails.
type Options struct {
	// Account is the 12-digit id of the account. Default "123456789012".
	Account string
	// Region is the Region of CodePipeline, CodeDeploy, ECS and their callers. Requests must be signed for it;
	// requests to CloudFront and STS may also be signed for us-east-1. Default "us-east-1".
	Region string
	// Now returns the services' time, which sets when invalidations are created and completed and when reports arrive.
	// The age of a signature is measured by the machine's clock, because clients use it. Default time.Now.
	Now func() time.Time
	// Authorize stands for IAM. If it returns an error, the service denies access; an error with a method
	// Denial() string sets the message. Some requests to S3 need several permissions, such as CopyObject and DeleteObjects:
	// the cloud then calls Authorize for each of them. Several goroutines may call Authorize at once. Default: everything is allowed.
	Authorize func(Call) error
	// S3 processes the requests to S3 that the cloud has allowed, and which it gets without a signature, such as
	// s3.Server.Unsigned. Required if there are such requests.
	S3 http.RoundTripper
	// Written is called for each object that S3 has stored or removed, before S3 answers the request. Several goroutines may
	// call it at once. Optional.
	Written func(Write)
	// Fault returns the fault of a call. Several goroutines may call it at once. Default: no faults.
	Fault func(Call) Fault
}

// Write is a change of an object of S3.
type Write struct {
	Bucket, Key string
	Deleted     bool // also if there was no such object
}

// Cloud is the double. It is an http.Handler for a server on loopback, and is safe for concurrent use.
type Cloud struct {
	opts Options

	mu            sync.Mutex
	calls         []Call
	counts        map[string]int
	distributions map[string]*distribution
	jobs          map[string]*Job // by id; the job that the next report with this id belongs to
	deployments   map[string]*Deployment
	groups        map[string][]string    // the names of CodeDeploy's deployment groups, by application
	services      map[string]*ecsService // by ARN
	pipelines     map[string]*pipeline   // by name
	functions     map[string]Function    // by name
	credentials   map[string]Credentials // by access key
	roles         map[string]string      // the roles' unique ids by ARN
}

// New returns a cloud without distributions, jobs and deployments.
func New(opts Options) *Cloud {
	if opts.Account == "" {
		opts.Account = defaultAccount
	}
	if opts.Region == "" {
		opts.Region = defaultRegion
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Cloud{
		opts:          opts,
		counts:        make(map[string]int),
		distributions: make(map[string]*distribution),
		jobs:          make(map[string]*Job),
		deployments:   make(map[string]*Deployment),
		groups:        make(map[string][]string),
		services:      make(map[string]*ecsService),
		pipelines:     make(map[string]*pipeline),
		functions:     make(map[string]Function),
		credentials:   make(map[string]Credentials),
		roles:         make(map[string]string),
	}
}

// Call is a request that the cloud has received, even if the cloud refused it or a fault hit it.
type Call struct {
	// Action is the IAM action that AWS would check, such as "cloudfront:CreateInvalidation". For a request that the
	// double does not support it consists of service, method and path.
	Action string
	// Operation is the name of S3's operation, such as "CopyObject" for the action "s3:PutObject". Calls of other services
	// have "".
	Operation string
	// Resource is the ARN that AWS would check, or "*" if the action has no resource type. For DeleteObjects it is the
	// bucket's.
	Resource string
	// Context holds the condition keys of the call, such as "s3:prefix".
	Context map[string]string
	// Principal is the ARN of the caller, or "" if the cloud refused the signature.
	Principal string
	// N is the number of this call among the calls of its Action. It starts at 1 and counts retries.
	N int
	// NOfService is the number of this call among the calls of its service.
	NOfService int
	// Status is the status that a report contains: "Succeeded", "Failed", or "InProgress" for a PutJobSuccessResult
	// with a continuation token, which does not complete the action. A report to CodeDeploy has its own status. Calls
	// that are not reports have "".
	Status string
	// At is the arrival time of the request by the cloud's clock.
	At time.Time
	// Err is the AWS error code of the reply. It is "" if the call succeeded or got no reply.
	Err string
	// Fault is the kind of the fault that Options.Fault returned.
	Fault FaultKind
}

// Calls returns all requests received so far in order of arrival.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.calls...)
}

// randomString returns n random characters of alphabet.
func randomString(n int, alphabet string) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

const (
	upperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	base64Alphabet    = upperAlphanumeric + "abcdefghijklmnopqrstuvwxyz+/"
)
