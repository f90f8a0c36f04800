# The commands of this project; `make` lists them. They work with GNU make 3.81, which macOS has.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The CDK CLI and jsii run on the pinned Node.js, whatever Node.js the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# The app would believe that the CDK CLI started it.
unexport CDK_CONTEXT_JSON

CDK      := node_modules/.bin/cdk
PYTHON   ?= python3
APPROVAL ?= any-change

# The versions of the linters are in their paths, so that a new version is installed beside the old one. A newer
# govulncheck needs a version of a module that the Go module proxy does not serve.
GOLANGCI_LINT := .cache/bin/github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0/golangci-lint
ACTIONLINT    := .cache/bin/github.com/rhysd/actionlint/cmd/actionlint@v1.7.12/actionlint
GOVULNCHECK   := .cache/bin/golang.org/x/vuln/cmd/govulncheck@v1.8.0/govulncheck
VENV          := .cache/venv

# What make bench compares the function publish with. hugo deploy is a part of Hugo with a build tag.
S5CMD       := .cache/bin/github.com/peak/s5cmd/v2@v2.3.0/s5cmd
RCLONE      := .cache/bin/github.com/rclone/rclone@v1.76.0/rclone
HUGO_DEPLOY := .cache/bin/github.com/gohugoio/hugo@v0.164.0/hugo

# Each command has a list accepts-COMMAND of the variables that its command line may set. What else a command
# line says is refused at the end of this file, before anything runs.
CREDENTIALS := AWS_PROFILE AWS_REGION

# quoted makes one word of the shell from a variable's value. flag makes a flag of our programs from a variable that is
# set, and switch makes a flag without a value from one that is on.
quoted = '$(subst ','\'',$(value $(1)))'
flag   = $(if $(value $(1)),-$(2) $(call quoted,$(1)))
switch = $(if $(filter $(ON),$(value $(1))),-$(2))
ON    := 1 yes true on
OFF   := 0 no false off

##@ Blogs and services

# The blog or the service that a command is for.
NAMED = $(call flag,BLOG,blog) $(call flag,SERVICE,service)

# jsii ends its output without a new line.
SYNTH = rm -rf cdk.out && echo 'Synthesising, and checking the templates by the rules of CloudFormation' && \
	CDK_OUTDIR=cdk.out JSII_NODE=dist/node dist/app && echo

.PHONY: synth
synth: build ## Write every stack's CloudFormation template to cdk.out/ (needs no AWS account)
	@$(SYNTH) && ls cdk.out/*.template.json

.PHONY: diff
accepts-diff := BLOG SERVICE $(CREDENTIALS) CDK
diff: build ## Compare with what is deployed: make diff, or for one: make diff BLOG=name or SERVICE=name
	@stacks=$(if $(strip $(NAMED)),$$(dist/app stacks $(NAMED))) && $(SYNTH) && $(CDK) diff --app cdk.out $$stacks

.PHONY: deploy
accepts-deploy := BLOG SERVICE APPROVAL $(CREDENTIALS) CDK
deploy: build ## Show the changes, ask, and deploy one: make deploy BLOG=name or SERVICE=name
	@stacks=$$(dist/app stacks $(NAMED)) && $(SYNTH) && \
	$(CDK) deploy --app cdk.out --strict --require-approval $(call quoted,APPROVAL) $$stacks || { \
		status=$$?; echo 'make deploy: not deployed. The reason is above; docs/troubleshooting.md says what to do' >&2; exit $$status; }

.PHONY: destroy
accepts-destroy := BLOG SERVICE SITE $(CREDENTIALS) CDK
destroy: build ## Ask, and remove one's stack, never a blog's site: make destroy BLOG=name or SERVICE=name; the site, too, with SITE=yes
	@stacks=$$(dist/app stacks -destroy $(call switch,SITE,site) $(NAMED)) && $(SYNTH) && $(CDK) destroy --app cdk.out $$stacks

.PHONY: appspec
accepts-appspec := SERVICE
appspec: dist/app ## Print the AppSpec of a service: make appspec SERVICE=name
	@dist/app appspec $(call flag,SERVICE,service)

##@ Look after what is deployed

.PHONY: status
accepts-status := BLOG SERVICE WATCH $(CREDENTIALS)
status: dist/app dist/operate ## Show what is going on, live and failed: make status, or for one with BLOG=name or SERVICE=name, which WATCH=1 follows
	@pipelines=$$(dist/app pipelines $(NAMED)) && dist/operate status -pipelines "$$pipelines" $(call switch,WATCH,watch)

.PHONY: releases
accepts-releases := BLOG $(CREDENTIALS)
releases: dist/app dist/operate ## List what was published: make releases BLOG=name
	@pipelines=$$(dist/app pipelines $(NAMED)) && dist/operate releases -pipelines "$$pipelines"

.PHONY: rollback
accepts-rollback := BLOG TO YES $(CREDENTIALS)
rollback: dist/app dist/operate ## Ask, and publish the release before again: make rollback BLOG=name, or a certain one with TO=commit or TO=release
	@pipelines=$$(dist/app pipelines $(NAMED)) && dist/operate rollback -pipelines "$$pipelines" $(call flag,TO,to) $(call switch,YES,yes)

##@ Rehearse on this machine, without an AWS account

.PHONY: rehearse
accepts-rehearse := BLOG SERVICE SOURCE WORKING_TREE ROLLBACK SERVE STATE VARIABLES FAULT JSON VERBOSE HUGO HUGO_RELEASES
rehearse: build dist/rehearse ## Run the first blog's pipeline from its template: make rehearse, or with BLOG=name SOURCE=folder, or SERVICE=name
	@CDK_VALIDATION=false JSII_NODE=dist/node dist/rehearse -synth dist/app \
		$(NAMED) $(call flag,SOURCE,source) $(call flag,HUGO,hugo) $(call flag,STATE,state) \
		$(call flag,VARIABLES,variables) $(call flag,FAULT,fault) \
		$(call switch,WORKING_TREE,working-tree) $(call switch,ROLLBACK,rollback) $(call switch,SERVE,serve) $(call switch,JSON,json) $(call switch,VERBOSE,v)

##@ Work on this project

# Go stops the tests of a package after 10 minutes, which a busy machine may need.
GO_TEST := go test -count=1 -timeout=60m

FUNCTIONS := $(patsubst lambdas/%/main.go,dist/%/bootstrap,$(wildcard lambdas/*/main.go))

# On a fresh machine npm waits for the network while Go compiles. The rest waits for both, since two compilations at
# once would compile the same packages twice.
FRESH := $(if $(filter 0,$(MAKELEVEL)),$(if $(wildcard node_modules/.package-lock.json dist/app),,fresh))
ifneq ($(FRESH),)
.NOTPARALLEL:
endif

# A zip keeps the functions' modes, and Lambda runs them as another user: the umask must not count.
.PHONY: build
build: $(FRESH) node_modules/.package-lock.json dist/node dist/app $(FUNCTIONS) ## Compile the app and the functions into dist/
	@chmod 755 $(dir $(FUNCTIONS)) $(FUNCTIONS)

# make lint vets: go vet would first read the whole CDK, which takes half as long as compiling the app.
.PHONY: test
accepts-test := HUGO_RELEASES
test: build hugo ## Run every test but the browser's and the fuzzers'
	GOGC=400 $(GO_TEST) -vet=off -skip='^(TestFaultMatrix|TestBrowser)$$' ./...
	@cd lambdas/invalidate && GOGC=400 $(GO_TEST) -vet=off -run='^TestFaultMatrix$$'
	@cd lambdas/deployhook && GOGC=400 $(GO_TEST) -vet=off -run='^TestFaultMatrix$$'
	@cd lambdas/publish && GOGC=400 $(GO_TEST) -vet=off -run='^TestFaultMatrix$$'

# make test only repeats what the fuzzers found before, since fuzzing compiles the standard library and the SDK
# once more. The fuzzers stop after a number of inputs: at the end of a time, Go may report a failure of its own
# (https://go.dev/issue/75804).
FUZZ := go test -vet=off -run='^$$' -fuzzminimizetime=10x

.PHONY: fuzz
fuzz: ## Look for inputs that break the functions, some seconds for each entry
	$(FUZZ) -fuzz='^FuzzInvoke$$' -fuzztime=30000x ./lambdas/invalidate
	$(FUZZ) -fuzz='^FuzzInvoke$$' -fuzztime=5000x ./lambdas/deployhook
	$(FUZZ) -fuzz='^FuzzInvoke$$' -fuzztime=30000x ./lambdas/publish
	$(FUZZ) -fuzz='^FuzzToken$$' -fuzztime=70000x ./lambdas/internal/invalidation
	$(FUZZ) -fuzz='^FuzzKey$$' -fuzztime=100000x ./lambdas/siteurl
	$(FUZZ) -fuzz='^FuzzOpen$$' -fuzztime=30000x ./lambdas/internal/archive
	$(FUZZ) -fuzz='^FuzzText$$' -fuzztime=30000x ./lambdas/internal/redact
	$(FUZZ) -fuzz='^FuzzViewerRequest$$' -fuzztime=2000x ./stacks/site/viewerrequest

.PHONY: e2e
accepts-e2e := CHROME HUGO_RELEASES
e2e: build hugo ## Visit the example blog with Chromium or Chrome: make e2e, or with CHROME=/path/to/it
	$(GO_TEST) -run='^TestBrowser$$' ./e2e
	@echo 'What the browser saw is in dist/e2e/'

.PHONY: race
race: node_modules/.package-lock.json ## Run the tests that need no jsii under the race detector (needs a C compiler)
	$(GO_TEST) -race ./appspec/... ./buildspec/... ./command/cdksettings ./lambdas/... ./operate/... ./rehearse/...

.PHONY: golden
golden: build ## Renew the golden templates in stacks/testdata; read the diff before committing it
	@echo 'Compiling the tests, and synthesising all fixtures (a minute or more)'
	go test -count=1 -run='^TestGolden$$' ./stacks -update

.PHONY: picture
picture: build dist/rehearse ## Record make rehearse anew for the README's picture, docs/rehearsal.svg
	go run ./rehearse/picture

.PHONY: bench
accepts-bench := HUGO_RELEASES PYTHON
bench: build hugo ## Measure synth time, functions, the rehearsal and publications, as ratios to peers; installs the peers into .cache/ first
	@MAKEFLAGS='$(filter-out -%,$(firstword $(MAKEFLAGS)))' $(MAKE) --no-print-directory --keep-going peers PYTHON=$(call quoted,PYTHON) || \
		echo 'make bench: a peer is left out, because it could not be installed' >&2
	$(GO_TEST) -run='^$$' -bench=. -benchtime=3x ./e2e ./lambdas/internal/cover

.PHONY: lint
accepts-lint := PYTHON VULN GOVULNDB
lint: lint-go lint-shell lint-templates lint-doubles vuln ## Run every linter; installs them into .cache/ first

.PHONY: vuln
accepts-vuln := VULN GOVULNDB
vuln: $(GOVULNCHECK) ## Look for known vulnerabilities in the dependencies: make vuln, or with GOVULNDB=folder or https://…
	@GOVULNDB=$(call quoted,GOVULNDB) VULN=$(call quoted,VULN) .ci/vuln $(GOVULNCHECK)

.PHONY: clean
clean: ## Remove what was built, and what a killed rehearsal left; keep what was installed
	@test ! -x dist/rehearse || dist/rehearse clean
	rm -rf cdk.out dist

.PHONY: help
help: ## List these commands
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- What the commands above are made of ---

# npm chooses the package of Node.js for this machine, and checks its hash. No package runs a script.
node_modules/.package-lock.json: package.json package-lock.json
	@echo 'Installing the CDK CLI and the Node.js that runs it into node_modules/ (about 240 MB, once)' >&2
	npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund >&2
	@node_modules/.bin/node --version >/dev/null || { \
		echo "make: no Node.js in node_modules/ runs on this machine, $$(uname -sm). There are packages for Linux with glibc and for macOS, on arm64 and x64. On one of these, the download failed: run make again, and look for an error in npm's log" >&2; exit 1; }
	@touch $@

# Whoever starts the app, jsii runs on this Node.js. On two cores, collecting garbage in the main thread makes a
# synth a sixth faster.
dist/node: Makefile
	@mkdir -p dist
	@printf '#!/bin/sh\nexec node_modules/.bin/node --single-threaded-gc "$$@"\n' > $@
	@chmod +x $@

# sources lists the files and folders that Go compiles: the time of a folder changes when a file is added or
# removed. The /. keeps a folder apart from the command of the same name.
sources = go.mod go.sum $(shell find $(1) -type d -o -type f ! -name '*_test.go' ! -path '*/testdata/*')
GO_FILES := $(filter-out %_test.go,$(wildcard *.go))

# A larger heap makes the first compilation a quarter faster. There is no -trimpath here, because go test and the
# rehearsal compile the same packages without it.
dist/app: $(GO_FILES) $(call sources,appspec/. buildspec command lambdas/contract lambdas/pathpattern lambdas/siteurl stacks) dist/app.files
	@echo 'Compiling the app (a minute the first time, then about a second)' >&2
	@GOGC=400 go build -buildvcs=false -ldflags='-s -w' -o $@ .

# A services.go that was deleted changes this list, and no other file.
dist/app.files: always
	@mkdir -p dist
	@echo $(GO_FILES) | cmp -s - $@ || echo $(GO_FILES) >$@

.PHONY: always
always:

dist/operate: $(call sources,buildspec lambdas/contract operate)
	@echo 'Compiling the commands that ask AWS (a minute the first time, then about a second)' >&2
	@mkdir -p dist
	@GOGC=400 go build -buildvcs=false -ldflags='-s -w' -o $@ ./operate

dist/rehearse: $(call sources,buildspec lambdas/contract operate/releases operate/status rehearse/.)
	@echo 'Compiling the rehearsal and its S3 server (a minute the first time, then about a second)' >&2
	@mkdir -p dist
	@GOGC=400 go build -buildvcs=false -ldflags='-s -w' -o $@ ./rehearse

# Two machines compile the same file, and so the functions' assets have the same hash.
dist/%/bootstrap: $(call sources,lambdas)
	@echo 'Compiling the function $* for Lambda (linux/arm64)' >&2
	@GOGC=400 GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w -buildid=' -o $@ ./lambdas/$*

# The tests build the example blog with this Hugo. A rehearsal installs the one that it needs.
.PHONY: hugo
hugo: dist/rehearse
	@dist/rehearse hugo

# The second make gets this one's options, such as -n, but not its variables, which it would refuse. So does that of
# make bench.
.PHONY: fresh
fresh:
	@MAKEFLAGS='$(filter-out -%,$(firstword $(MAKEFLAGS)))' $(MAKE) --no-print-directory -j2 node_modules/.package-lock.json dist/app >&2

# --- Linters ---

.PHONY: lint-go
lint-go: $(GOLANGCI_LINT)
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) run

.PHONY: lint-shell
accepts-lint-shell := PYTHON
lint-shell: $(ACTIONLINT) $(VENV)/installed
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH"; command -v shellcheck || { \
		echo 'make lint: PyPI has no shellcheck for this machine; install it, for example with apt-get install shellcheck' >&2; exit 1; }; \
	shellcheck .ci/chromium .ci/run .ci/vuln && $(ACTIONLINT) -pyflakes= .github/workflows/*.yml && \
	SHELLCHECK=shellcheck go test -count=1 -run=TestShellcheck ./buildspec

.PHONY: lint-templates
accepts-lint-templates := PYTHON
lint-templates: synth $(VENV)/installed
	$(VENV)/bin/python $(VENV)/bin/cfn-lint
	go test -count=1 -run='^TestAwsSolutions$$' ./stacks

# Clients that are not written in Go call the doubles of AWS.
.PHONY: lint-doubles
accepts-lint-doubles := PYTHON
lint-doubles: $(VENV)/installed
	AWS_PYTHON="$(CURDIR)/$(VENV)/bin/python" go test -count=1 ./rehearse/fakeaws

$(HUGO_DEPLOY): TAGS := withdeploy

.cache/bin/%:
	@echo 'Compiling $(patsubst %/,%,$(dir $*)) (golangci-lint, rclone and Hugo take minutes each, once)'
	@GOFLAGS= GOBIN="$(CURDIR)/$(@D)" go install -tags='$(TAGS)' -ldflags='-s -w' $(patsubst %/,%,$(dir $*))

$(VENV)/installed: .ci/requirements-lint.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' || { \
		echo 'make lint: cfn-lint needs Python 3.10 to 3.14; name one with PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Installing cfn-lint, shellcheck, boto3 and the AWS CLI'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r .ci/requirements-lint.txt
	@touch $@

# --- What make bench compares with ---

.PHONY: peers
accepts-peers := PYTHON
peers: $(S5CMD) $(RCLONE) $(HUGO_DEPLOY) $(VENV)/installed

# go install would read the list of the module's versions, which some proxies do not serve.
$(S5CMD):
	@echo 'Compiling $(patsubst .cache/bin/%/s5cmd,%,$@)'
	@dir=$$(go mod download -json $(patsubst .cache/bin/%/s5cmd,%,$@) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') && cd "$$dir" && \
		GOFLAGS= go build -mod=readonly -buildvcs=false -ldflags='-s -w' -o "$(CURDIR)/$@"

# --- What a command line may not say ---

# make ignores a variable that nothing reads, so that a typing mistake would deploy or rehearse another blog. Variables
# of the environment are not checked, since most of them are there for other programs. (A make that another make
# starts has the variables of its command line, too, unless MAKEFLAGS is empty.)
GOALS    := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
HASH     := \#
COMMANDS := $(shell sed -n 's/^\([a-z][a-z0-9-]*\):.* $(HASH)$(HASH) .*/\1/p' Makefile)
TARGETS  := $(shell sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' Makefile) dist/% .cache/% node_modules/%
ACCEPTED := $(foreach goal,$(GOALS),$(accepts-$(goal)))
# Only the names are listed, since a value may contain anything.
GIVEN    := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))

$(if $(filter-out $(TARGETS),$(GOALS)),\
	$(error make: there is no command "$(filter-out $(TARGETS),$(GOALS))"; there are: $(COMMANDS). To name a blog or a service, write BLOG=name or SERVICE=name))
$(if $(filter-out $(ACCEPTED),$(GIVEN)),\
	$(error make $(GOALS): unknown variable $(filter-out $(ACCEPTED),$(GIVEN)); it accepts $(or $(filter-out CDK,$(ACCEPTED)),no variable). A variable for the environment goes before make: NAME=value make $(GOALS)))
$(foreach name,$(filter WORKING_TREE ROLLBACK SERVE JSON VERBOSE SITE WATCH YES,$(ACCEPTED)),$(if $(filter-out $(ON) $(OFF),$(value $(name)))$(word 2,$(value $(name))),\
	$(error make $(GOALS): $(name)=$(value $(name)) is neither on nor off: write $(name)=1 or $(name)=0)))
