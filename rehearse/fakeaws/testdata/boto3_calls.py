"""Calls AWS through boto3 for boto3_test.go, which sends one JSON object in each line and reads one."""

import functools
import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

# The service must find mistakes in a request, and boto3 must not retry.
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1})


@functools.cache
def client(service, endpoint, region, key, secret, token):
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, config=CONFIG,
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token or None)


def shape(of):
    """A shape of botocore's model as plain data; None for an operation without it."""
    if of is None:
        return None
    plain = {"type": of.type_name, "required": of.metadata.get("required", [])}
    for constraint in ("min", "max", "pattern", "enum"):
        plain[constraint] = of.metadata.get(constraint)
    if of.type_name == "structure":
        plain["members"] = {name: shape(member) for name, member in of.members.items()}
    elif of.type_name == "list":
        plain["member"] = shape(of.member)
    elif of.type_name == "map":
        plain["key"] = shape(of.key)
    plain["uri"] = of.serialization.get("location") == "uri"
    return plain


def answer(call):
    key = call["credentials"]
    aws = client(call["service"], call["endpoint"], call["region"],
                 key["AWS_ACCESS_KEY_ID"], key["AWS_SECRET_ACCESS_KEY"], key["AWS_SESSION_TOKEN"])
    if "shape" in call:
        return shape(aws.meta.service_model.shape_for(call["shape"]))
    if "input" not in call:
        operation = aws.meta.service_model.operation_model(call["operation"])
        return {
            "input": shape(operation.input_shape), "output": shape(operation.output_shape),
            "errors": {error.error_code: {"class": error.name, "status": error.metadata.get("error", {}).get("httpStatusCode", 400)}
                       for error in operation.error_shapes}}
    try:
        output = getattr(aws, xform_name(call["operation"]))(**call["input"])
        del output["ResponseMetadata"]
        return {"output": output}
    except ClientError as refused:
        return {
            "class": type(refused).__name__, "code": refused.response["Error"]["Code"],
            "message": refused.response["Error"]["Message"],
            "requestId": refused.response["ResponseMetadata"].get("RequestId", ""),
            "status": refused.response["ResponseMetadata"]["HTTPStatusCode"]}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=lambda value: value.isoformat()), flush=True)
