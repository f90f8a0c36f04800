# Every command a person needs; `make` lists them. Works with GNU make 3.81.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The pinned Node.js runs the CDK CLI and jsii, whatever Node.js the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# By it the app sees that the CDK CLI started it.
unexport CDK_CONTEXT_JSON

CDK    := node_modules/.bin/cdk
PYTHON ?= python3
APPROVAL ?= any-change

# What is a slip on the command line would be ignored, and the wrong blog would go green.
# So each command says which variables it takes, and the rest is refused before anything
# is done. What comes from the environment is not looked at: much there is for others. (A
# make that another one starts has that one's variables, too, unless MAKEFLAGS is empty.)
SWITCHES       := WORKING_TREE SERVE JSON VERBOSE SITE
ON             := 1 yes true on
OFF            := 0 no false off
CREDENTIALS    := AWS_PROFILE AWS_REGION
takes-diff     := BLOG SERVICE $(CREDENTIALS) CDK
takes-deploy   := BLOG SERVICE APPROVAL $(CREDENTIALS) CDK
takes-destroy  := BLOG SERVICE SITE $(CREDENTIALS) CDK
takes-appspec  := SERVICE
takes-rehearse := BLOG SERVICE SOURCE WORKING_TREE SERVE STATE FAULT JSON VERBOSE HUGO HUGO_RELEASES
takes-test     := HUGO_RELEASES
takes-bench    := HUGO_RELEASES
takes-e2e      := CHROME HUGO_RELEASES
takes-lint     := PYTHON VULN GOVULNDB
takes-lint-shell := PYTHON
takes-lint-templates := PYTHON
takes-lint-doubles := PYTHON
takes-vuln     := VULN GOVULNDB

GOALS    := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
HASH     := \#
COMMANDS := $(shell sed -n 's/^\([a-z][a-z0-9-]*\):.* $(HASH)$(HASH) .*/\1/p' Makefile)
TARGETS  := $(shell sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' Makefile) dist/% .cache/% node_modules/%
# By their names alone: a value may have anything in it.
GIVEN    := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
TAKEN    := $(foreach goal,$(GOALS),$(takes-$(goal)))

ifneq ($(filter-out $(TARGETS),$(GOALS)),)
$(error make: there is no command "$(filter-out $(TARGETS),$(GOALS))"; there are: $(COMMANDS). A name goes behind BLOG= or SERVICE=)
endif
ifneq ($(filter-out $(TAKEN),$(GIVEN)),)
$(error make $(GOALS): it does not know $(filter-out $(TAKEN),$(GIVEN)); it takes $(or $(filter-out CDK,$(TAKEN)),no variable). What is for the environment goes before make: NAME=value make $(GOALS))
endif
$(foreach name,$(filter $(SWITCHES),$(TAKEN)),$(if $(filter-out $(ON) $(OFF),$(value $(name)))$(word 2,$(value $(name))),\
	$(error make $(GOALS): $(name)=$(value $(name)): write $(name)=1 or $(name)=0)))

# on says whether a switch is, and quoted a value as one word of the shell.
on     = $(filter $(ON),$(value $(1)))
quoted = '$(subst ','\'',$(value $(1)))'

# Folders are listed too: their time changes when a file is added or removed. The
# command appspec has the name of a folder, which therefore goes by another here.
APP_FILES      := $(filter-out %_test.go,$(wildcard *.go))
APP_SOURCES    := $(shell find $(APP_FILES) go.mod go.sum stacks appspec/. buildspec -type d -o -type f ! -name '*_test.go' ! -path '*/testdata/*')
# The command rehearse, too, has the name of a folder.
REHEARSE_SOURCES := $(shell find go.mod go.sum rehearse/. buildspec -type d -o -type f ! -name '*_test.go' ! -path '*/testdata/*')
LAMBDA_SOURCES := $(shell find go.mod go.sum lambdas -type d -o -type f ! -name '*_test.go' ! -path '*/testdata/*')
LAMBDAS        := $(patsubst lambdas/%/main.go,dist/%/bootstrap,$(wildcard lambdas/*/main.go))

# On a fresh machine npm waits for the network while Go compiles. (Two compilations at once would
# compile the same packages twice. The other make gets the flags of this one, such as -n, and not the
# variables, which it would refuse.)
FRESH := $(if $(filter 0,$(MAKELEVEL)),$(if $(wildcard node_modules/.package-lock.json dist/app),,fresh))
ifneq ($(FRESH),)
.NOTPARALLEL:
endif

##@ Blogs and services

.PHONY: synth
synth: build ## Write every stack's CloudFormation template to cdk.out/ (needs no AWS account)
	@rm -rf cdk.out
	@echo 'Synthesising, and checking the templates by the rules of CloudFormation'
	@CDK_OUTDIR=cdk.out JSII_NODE=dist/node dist/app
	@echo # jsii's last words end without a new line
	@ls cdk.out/*.template.json

.PHONY: diff
diff: one-at-most synth ## Compare with what is deployed: make diff, or for one: make diff BLOG=name or SERVICE=name
	@$(if $(value BLOG)$(value SERVICE),$(find_stacks)) $(CDK) diff --app cdk.out $(if $(value BLOG)$(value SERVICE),$$stacks)

.PHONY: deploy
deploy: which-one synth ## Show the changes, ask, and deploy one: make deploy BLOG=name or SERVICE=name
	@$(find_stacks) \
	$(CDK) deploy --app cdk.out --strict --require-approval $(call quoted,APPROVAL) $$stacks || { \
		code=$$?; echo 'make deploy: not deployed; the reason is above, what to do is in README.md under "When something fails"' >&2; exit $$code; }

.PHONY: destroy
destroy: BLOG_STACKS = $(if $(call on,SITE),certificate site logs) pipeline
destroy: which-one with-site synth ## Ask, and remove one's stack, never a blog's site: make destroy BLOG=name or SERVICE=name; the site, too, with SITE=yes
	@$(find_stacks) $(if $(call on,SITE),$(warn_of_site)) $(CDK) destroy --app cdk.out $$stacks

.PHONY: appspec
appspec: which-service dist/app ## Print the AppSpec of a service: make appspec SERVICE=name
	@dist/app appspec $(call quoted,SERVICE)

##@ Rehearse on this machine, without an AWS account

.PHONY: rehearse
rehearse: one-at-most build dist/rehearse ## Run the first blog's pipeline from its template: make rehearse, or with BLOG=name SOURCE=folder, or SERVICE=name
	@CDK_VALIDATION=false JSII_NODE=dist/node dist/rehearse -synth dist/app \
		$(if $(value BLOG),-blog $(call quoted,BLOG)) $(if $(value SERVICE),-service $(call quoted,SERVICE)) $(if $(value SOURCE),-source $(call quoted,SOURCE)) \
		$(if $(value HUGO),-hugo $(call quoted,HUGO)) $(if $(value STATE),-state $(call quoted,STATE)) $(if $(value FAULT),-fault $(call quoted,FAULT)) \
		$(if $(call on,WORKING_TREE),-working-tree) $(if $(call on,SERVE),-serve) $(if $(call on,JSON),-json) $(if $(call on,VERBOSE),-v)

##@ Work on this project

# Go ends a package's tests after 10 minutes, which a machine that has much else to do may take.
UNTIL_IT_HANGS := -timeout=60m

.PHONY: build
build: $(FRESH) node_modules/.package-lock.json dist/node dist/app $(LAMBDAS) ## Compile the app and the functions into dist/
	@chmod 755 $(dir $(LAMBDAS)) $(LAMBDAS) # Whatever the umask is, and was: a zip keeps it, and Lambda is another user.

# make lint vets: here go vet would read all of the CDK first, which takes as long as half the app's compilation.
.PHONY: test
test: build hugo ## Run every test but the browser's and the fuzzers'
	GOGC=400 go test -count=1 -vet=off $(UNTIL_IT_HANGS) -skip='^(TestFaultMatrix|TestBrowser)$$' ./...
	@cd lambdas/invalidate && GOGC=400 go test -count=1 -vet=off $(UNTIL_IT_HANGS) -run='^TestFaultMatrix$$'
	@cd lambdas/deployhook && GOGC=400 go test -count=1 -vet=off $(UNTIL_IT_HANGS) -run='^TestFaultMatrix$$'

# Not part of make test, which tries what the fuzzers found before: for them the standard library and the
# SDK are compiled once more. By a number of inputs, not by time, at whose end Go may report a failure of
# its own: https://go.dev/issue/75804
FUZZ = go test -vet=off -run='^$$' -fuzzminimizetime=10x

.PHONY: fuzz
fuzz: ## Look for inputs that break the functions, some seconds for each entry
	$(FUZZ) -fuzz='^FuzzInvoke$$' -fuzztime=30000x ./lambdas/invalidate
	$(FUZZ) -fuzz='^FuzzInvoke$$' -fuzztime=5000x ./lambdas/deployhook
	$(FUZZ) -fuzz='^FuzzToken$$' -fuzztime=70000x ./lambdas/internal/invalidation
	$(FUZZ) -fuzz='^FuzzText$$' -fuzztime=30000x ./lambdas/internal/redact
	$(FUZZ) -fuzz='^FuzzViewerRequest$$' -fuzztime=2000x ./stacks/viewerrequest

.PHONY: e2e
e2e: build hugo ## Visit the example blog with Chromium or Chrome: make e2e, or with CHROME=/path/to/it
	go test -count=1 $(UNTIL_IT_HANGS) -run='^TestBrowser$$' .
	@echo 'What the browser saw is in dist/e2e/'

.PHONY: race
race: node_modules/.package-lock.json ## Run the tests that need no jsii under the race detector (needs a C compiler)
	go test -count=1 $(UNTIL_IT_HANGS) -race ./appspec/... ./buildspec/... ./lambdas/... ./rehearse/...

.PHONY: golden
golden: build ## Renew the golden templates in stacks/testdata; read the diff before committing it
	go test -count=1 -run='^TestGolden$$' ./stacks -update

.PHONY: picture
picture: build dist/rehearse ## Record make rehearse anew for the README's picture, docs/rehearsal.svg
	go run ./rehearse/picture

.PHONY: bench
bench: build hugo ## Measure synth time, function size and start, the rehearsal, as ratios to peers
	go test -run='^$$' -bench=. -benchtime=3x $(UNTIL_IT_HANGS) .

.PHONY: lint
lint: lint-go lint-shell lint-templates lint-doubles vuln ## Run every linter; installs them into .cache/ first

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

.PHONY: one-at-most
one-at-most:
	@test -z $(call quoted,BLOG) || test -z $(call quoted,SERVICE) || { echo 'make: BLOG='$(call quoted,BLOG)' and SERVICE='$(call quoted,SERVICE)': name one of them' >&2; exit 2; }

.PHONY: which-one
which-one: one-at-most
	@test -n $(call quoted,BLOG)$(call quoted,SERVICE) || { echo 'make: which blog or service? make $(firstword $(MAKECMDGOALS)) BLOG=name or SERVICE=name, with a name from blogs.go or services.go' >&2; exit 2; }

.PHONY: which-service
which-service:
	@test -n $(call quoted,SERVICE) || { echo 'make: which service? make $(firstword $(MAKECMDGOALS)) SERVICE=name, with a name from services.go' >&2; exit 2; }

.PHONY: with-site
with-site:
	@$(if $(call on,SITE),test -z $(call quoted,SERVICE) || { echo 'make: SITE=$(SITE): only a blog has one; it goes with BLOG=name' >&2; exit 2; })

# The kinds of stacks that a blog may have.
BLOG_STACKS = certificate site logs pipeline

# Sets the shell's $stacks to those of a blog or service, or says which names there are.
# The CDK CLI takes an unknown name for nothing to do, and * for all. It knows their order.
find_stacks = name=$(call quoted,BLOG)$(call quoted,SERVICE); stacks=; \
	for kind in $(if $(value BLOG),$(BLOG_STACKS),hook service); do \
		if test -f "cdk.out/$$name-$$kind.template.json"; then stacks="$$stacks $$name-$$kind"; fi; \
	done; \
	test -n "$$stacks" || { \
		known=$$(ls cdk.out | sed -n $(if $(value BLOG),-e 's/-pipeline\.template\.json$$//p',-e 's/-hook\.template\.json$$//p' -e 's/-service\.template\.json$$//p')); \
		echo "make: no $(if $(value BLOG),blog,service) \"$$name\" in $(if $(value BLOG),blogs,services).go; there are:" $${known:-none} >&2; exit 2; };

warn_of_site = test -f "cdk.out/$$name-site.template.json" || { \
		echo "make: SITE=$(SITE): the blog \"$$name\" has no Site in blogs.go, and what was there before it is not removed" >&2; exit 2; }; \
	echo "The blog $$name goes offline: distribution, certificate and DNS records go, too. The bucket stays, with all its files, unless it was deployed with BucketRemoval: stacks.DeleteBucket";

# Of Node.js's packages npm takes the one that is for this machine, and checks its hash. Nothing that is
# installed runs a script.
node_modules/.package-lock.json: package.json package-lock.json
	@echo 'Installing the CDK CLI and the Node.js that runs it into node_modules/ (about 240 MB, once)' >&2
	npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund >&2
	@node_modules/.bin/node --version >/dev/null || { \
		echo "make: no Node.js in node_modules/ runs on this machine, $$(uname -sm). If it is a Linux with glibc or a macOS, on arm64 or x64, its download failed: run make again, and look for an error in npm's log. There is none for others" >&2; exit 1; }
	@touch $@

# The Node.js that jsii runs on, whoever starts the app. Collecting garbage beside the
# main thread costs a synth on two cores a sixth of its time.
dist/node: Makefile
	@mkdir -p dist
	@printf '#!/bin/sh\nexec node_modules/.bin/node --single-threaded-gc "$$@"\n' > $@
	@chmod +x $@

# A larger heap takes a quarter off the first compilation. Not with -trimpath: what go test and
# the rehearsal compile would be compiled a second time.
dist/app: $(APP_SOURCES) dist/app.files
	@echo 'Compiling the app (a minute the first time, then about a second)' >&2
	@mkdir -p dist
	@GOGC=400 go build -buildvcs=false -ldflags='-s -w' -o $@ .

# The folder's own time changes with everything, so that a services.go that was deleted shows here alone.
dist/app.files: always
	@mkdir -p dist
	@echo $(APP_FILES) | cmp -s - $@ || echo $(APP_FILES) >$@

.PHONY: always
always:

.PHONY: fresh
fresh:
	@MAKEFLAGS='$(filter-out -%,$(firstword $(MAKEFLAGS)))' $(MAKE) --no-print-directory -j2 node_modules/.package-lock.json dist/app >&2

# Reproducible: two machines make the same file, and so the same asset hash.
dist/%/bootstrap: $(LAMBDA_SOURCES)
	@echo 'Compiling the function $* for Lambda (linux/arm64)' >&2
	@GOGC=400 GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags='-s -w -buildid=' -o $@ ./lambdas/$*

dist/rehearse: $(REHEARSE_SOURCES)
	@echo 'Compiling the rehearsal and its S3 server (a minute the first time, then about a second)' >&2
	@mkdir -p dist
	@GOGC=400 go build -buildvcs=false -ldflags='-s -w' -o $@ ./rehearse

# The Hugo that the tests build the example blog with; a rehearsal gets its own by itself.
.PHONY: hugo
hugo: dist/rehearse
	@dist/rehearse hugo

# --- Linters, pinned ---

GOLANGCI_LINT_VERSION := v2.15.0
ACTIONLINT_VERSION    := v1.7.12
# v1.9.0 needs a module version that the Go module proxy does not serve.
GOVULNCHECK_VERSION   := v1.8.0
# The version is in the path: a new pin installs anew, an old one costs nothing.
GOLANGCI_LINT := .cache/bin/golangci-lint@$(GOLANGCI_LINT_VERSION)/golangci-lint
ACTIONLINT    := .cache/bin/actionlint@$(ACTIONLINT_VERSION)/actionlint
GOVULNCHECK   := .cache/bin/govulncheck@$(GOVULNCHECK_VERSION)/govulncheck
VENV          := .cache/venv

.PHONY: lint-go
lint-go: $(GOLANGCI_LINT)
	$(GOLANGCI_LINT) config verify
	$(GOLANGCI_LINT) run

.PHONY: lint-shell
lint-shell: $(ACTIONLINT) $(VENV)/installed
	@shellcheck="$(CURDIR)/$(VENV)/bin/shellcheck"; \
	test -x "$$shellcheck" || shellcheck=$$(command -v shellcheck) || { \
		echo 'make lint: no wheel holds shellcheck for this machine; install it, for example: apt-get install shellcheck' >&2; exit 1; }; \
	echo 'shellcheck and actionlint'; \
	"$$shellcheck" .ci/chromium .ci/run && \
	$(ACTIONLINT) -shellcheck="$$shellcheck" -pyflakes= .github/workflows/*.yml && \
	SHELLCHECK="$$shellcheck" go test -count=1 -run TestShellcheck ./buildspec

.PHONY: lint-templates
lint-templates: synth $(VENV)/installed
	$(VENV)/bin/python $(VENV)/bin/cfn-lint
	go test -count=1 -run='^TestAwsSolutions$$' ./stacks

# The doubles of AWS, called by clients that are not Go's.
.PHONY: lint-doubles
lint-doubles: $(VENV)/installed
	AWS_PYTHON="$(CURDIR)/$(VENV)/bin/python" go test -count=1 ./rehearse/fakeaws

# A database of your own may also be a folder of OSV files, as data/osv is in a clone of
# https://github.com/golang/vulndb. In an empty one, or behind a symbolic link, govulncheck finds nothing.
.PHONY: vuln
vuln: $(GOVULNCHECK) ## Look for known vulnerabilities in the dependencies: make vuln, or with GOVULNDB=folder or https://…
ifneq ($(value GOVULNDB),)
	@db=$(call quoted,GOVULNDB); case "$$db" in https://*|http://*) ;; *) \
		folder=$${db#file://}; \
		ls "$$folder" "$$folder/index" 2>/dev/null | grep -q -e '^GO-.*\.json$$' -e '^modules\.json$$' || { \
			echo "make vuln: GOVULNDB=$$db has neither GO-*.json nor index/modules.json: name the folder data/osv of a clone of https://github.com/golang/vulndb" >&2; exit 2; }; \
		db=file://$$(cd "$$folder" && pwd -P) ;; \
	esac; \
	$(GOVULNCHECK) -db "$$db" ./...
else
	@if $(GOVULNCHECK) -version | grep -q '^DB updated:'; then \
		$(GOVULNCHECK) ./...; \
	else \
		echo 'vuln: not scanned: the Go vulnerability database at vuln.go.dev cannot be reached from here; GOVULNDB= names another, such as the folder data/osv of a clone of https://github.com/golang/vulndb'; \
		test "$(VULN)" != required; \
	fi
endif

$(GOLANGCI_LINT):
	@echo 'Compiling golangci-lint $(GOLANGCI_LINT_VERSION) (two to three minutes, once)'
	@GOFLAGS= GOBIN="$(CURDIR)/$(@D)" go install -ldflags='-s -w' github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(ACTIONLINT):
	@echo 'Compiling actionlint $(ACTIONLINT_VERSION)'
	@GOFLAGS= GOBIN="$(CURDIR)/$(@D)" go install -ldflags='-s -w' github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)

$(GOVULNCHECK):
	@echo 'Compiling govulncheck $(GOVULNCHECK_VERSION)'
	@GOFLAGS= GOBIN="$(CURDIR)/$(@D)" go install -ldflags='-s -w' golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

$(VENV)/installed: requirements-lint.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' || { \
		echo 'make lint: cfn-lint needs Python 3.10 to 3.14; name one with PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Installing cfn-lint, shellcheck, boto3 and the AWS CLI'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-lint.txt
	@touch $@
