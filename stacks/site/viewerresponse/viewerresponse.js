// What the answers at the paths of Caching.Immutable pass on their way to a browser, from the cache or
// from the bucket: only what a browser may keep as it is says that it may. viewerresponse.go puts the
// value before it. CloudFront runs no function on an error of the bucket's, and none on a redirect of
// its own, but does not say of which other answers it does:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-status-codes

function handler(event) {
  const response = event.response;

  // The file, a part of it, or that it is the one the browser has. Not 203 and 204: S3 knows neither.
  if ([200, 206, 304].indexOf(response.statusCode) >= 0) {
    response.headers['cache-control'] = { value: cacheControl };
  }
  return response;
}
