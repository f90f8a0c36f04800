// CloudFront calls this for answers at the paths of Caching.Immutable, from its cache or from the
// bucket, before it sends them. Only files get the Cache-Control that lets a browser keep them.
// viewerresponse.go puts its value in front. CloudFront calls no function for an error of the bucket
// or for a redirect of its own, but does not document all other answers:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-status-codes

function handler(event) {
  const response = event.response;

  // The file, a part of it, or "not modified". S3 never answers 203 or 204.
  if ([200, 206, 304].indexOf(response.statusCode) >= 0) {
    response.headers['cache-control'] = { value: cacheControl };
  }
  return response;
}
