// CloudFront calls this for every request, after it has redirected http to https and before it looks
// into its cache. viewerrequest.go puts settings, fileType and fileName in front. All of it may have
// at most 10 KB. The language:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html

function handler(event) {
  const request = event.request;

  // The path is as the reader sent it: encoded or not, and not normalised. It gets exactly one slash
  // in front, because browsers read "//name" and "/\name" as the address of another host, after they
  // have removed tabs and line breaks.
  const path = '/' + encode(request.uri.replace(/^[\/\\]+/, '')).replace(/[\\#]/g, encodeURIComponent);
  const query = encode(rawQuery(request));

  // CloudFront answers 502 if a function returns 8,192 characters. No page's address is so long.
  if (forS3(path).length + query.length > 8000) {
    return { statusCode: 414, statusDescription: 'URI Too Long' };
  }

  const page = isPage(path) && settings.missingSlash === 'redirect' ? path + '/' : path;
  if (settings.redirectFrom.indexOf(host(request)) >= 0) {
    // CloudFront may have made "/index.html" of "/", for the default root object.
    return redirect('https://' + settings.domain + (page === '/index.html' ? '/' : page) + query);
  }
  if (page !== path) {
    // Without a host, so that it also works under the distribution's own name.
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

// S3 reads a plus as a space. Redirects keep the plus as it is in the reader's link.
function forS3(path) {
  return path.replace(/\+/g, '%2B');
}

// Whether a path is that of a page without its slash, such as "/posts/hello", "/posts/go-1.21" or
// "/old.php". A file has the extension of a file, or the name of a file without extension.
function isPage(path) {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/%[2-7][0-9a-f]/gi, decodeURIComponent);
  return name !== '' && !fileType.test(name) && !fileName.test(name) && !isWellKnown(path);
}

function isFolder(path) {
  return path.endsWith('/') && !isWellKnown(path);
}

// Files below /.well-known/ often have no extension, such as apple-app-site-association (RFC 8615).
function isWellKnown(path) {
  return path.startsWith('/.well-known/');
}

// The requested host name in lower case, without the rest of "WWW.example.com.:443".
function host(request) {
  const header = request.headers.host;
  return header ? header.value.toLowerCase().replace(/\.?(:\d*)?$/, '') : '';
}

// The query string. request.querystring does not keep its order.
function rawQuery(request) {
  const raw = request.rawQueryString();
  return raw === undefined ? '' : '?' + raw;
}

// Encodes control characters, spaces and everything that is not ASCII, as S3 and the Location header
// require. It leaves alone what is encoded already.
function encode(text) {
  return text.replace(/[^!-~]+/g, encodeURIComponent);
}

// The response headers policy adds Cache-Control and security headers, as to every response.
function redirect(location) {
  return {
    statusCode: 301,
    statusDescription: 'Moved Permanently',
    headers: { location: { value: location } },
  };
}
