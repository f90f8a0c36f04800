// What every request passes, before CloudFront looks into its cache and after it has led http to
// https. viewerrequest.go puts the settings before it. Language and limits (10 KB, comments
// included):
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html

// A path comes as the reader sent it: encoded or not, and not normalised.
function handler(event) {
  const request = event.request;

  // Exactly one slash in front: browsers read "//name" and "/\name" as the address of another
  // host, and leave out tabs and line breaks before they look.
  const path = '/' + encode(request.uri.replace(/^[\/\\]+/, '')).replace(/[\\#]/g, encodeURIComponent);
  const query = encode(rawQuery(request));

  // More than 8,191 characters of a function are a 502 to CloudFront; so much is no page's.
  if (path.length + query.length > 8000) {
    return { statusCode: 414, statusDescription: 'URI Too Long' };
  }

  let page = path;
  if (isPage(path) && settings.missingSlash === 'redirect') {
    page += '/';
  }
  if (settings.redirectFrom.indexOf(host(request)) >= 0) {
    return redirect('https://' + settings.domain + page + query);
  }
  if (page !== path) {
    // Without a host, so that it holds for the distribution's own name, too.
    return redirect(page + query);
  }

  if (isPage(path)) {
    request.uri = path + '/index.html';
  } else if (isFolder(path)) {
    request.uri = path + 'index.html';
  } else {
    request.uri = path;
  }
  return request;
}

// A page of Hugo's without its slash: "/posts/hello". What has a dot in its last part is a file,
// "/posts/v1.2", too: a page of such a name is at "/posts/v1.2/" only.
function isPage(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name !== '' && !/\.|%2e/i.test(name) && !isWellKnown(path);
}

function isFolder(path) {
  return path.endsWith('/') && !isWellKnown(path);
}

// Others say what is there (RFC 8615), often without a dot: apple-app-site-association.
function isWellKnown(path) {
  return path.startsWith('/.well-known/');
}

// The name that was asked for, also of "WWW.example.com.:443".
function host(request) {
  const header = request.headers.host;
  return header ? header.value.toLowerCase().replace(/\.?(:\d*)?$/, '') : '';
}

// The object request.querystring has lost the order.
function rawQuery(request) {
  const raw = request.rawQueryString();
  return raw === undefined ? '' : '?' + raw;
}

// Encodes control characters, spaces and what is not ASCII: S3 and the Location header want it so.
// What is encoded stays as it is.
function encode(text) {
  return text.replace(/[^!-~]+/g, encodeURIComponent);
}

// Caching and security headers come from the response headers policy, as for any response.
function redirect(location) {
  return {
    statusCode: 301,
    statusDescription: 'Moved Permanently',
    headers: { location: { value: location } },
  };
}
