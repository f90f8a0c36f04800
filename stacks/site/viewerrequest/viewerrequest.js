// What every request passes, after CloudFront has led http to https and before it looks into its
// cache. viewerrequest.go puts settings, fileType and fileName before it. The language, and 10 KB
// for all of this:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html

function handler(event) {
  const request = event.request;

  // The path comes as the reader sent it: encoded or not, and not normalised. It gets exactly one
  // slash in front: browsers take "//name" and "/\name" for the address of another host, and leave
  // out tabs and line breaks before they look.
  const path = '/' + encode(request.uri.replace(/^[\/\\]+/, '')).replace(/[\\#]/g, encodeURIComponent);
  const query = encode(rawQuery(request));

  // 8,192 characters from a function are a 502 at CloudFront. No page's address has so many.
  if (forS3(path).length + query.length > 8000) {
    return { statusCode: 414, statusDescription: 'URI Too Long' };
  }

  const page = isPage(path) && settings.missingSlash === 'redirect' ? path + '/' : path;
  if (settings.redirectFrom.indexOf(host(request)) >= 0) {
    // Where a distribution has a default root object, "/" may have become "/index.html" by now.
    return redirect('https://' + settings.domain + (page === '/index.html' ? '/' : page) + query);
  }
  if (page !== path) {
    // Without a host, so that it holds for the distribution's own name, too.
    return redirect(page + query);
  }

  if (isPage(path)) {
    request.uri = forS3(path + '/index.html');
  } else if (isFolder(path)) {
    request.uri = forS3(path + 'index.html');
  } else {
    request.uri = forS3(path);
  }
  return request;
}

// S3 takes a plus for a space. Redirects have it as the reader's link has it.
function forS3(path) {
  return path.replace(/\+/g, '%2B');
}

// A page, as Hugo makes them, without its slash: "/posts/hello", and "/posts/go-1.21" and "/old.php",
// too. A file is what has a file's extension, or the name of one that has none.
function isPage(path) {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/%[2-7][0-9a-f]/gi, decodeURIComponent);
  return name !== '' && !fileType.test(name) && !fileName.test(name) && !isWellKnown(path);
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

// request.querystring has lost the order.
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
