function handler(event) {
  const request = event.request;
  let path = '/' + request.uri.replace(/^[\/\\]+/, '');
  const host = request.headers.host ? request.headers.host.value.toLowerCase() : '';
  const wrongHost = settings.redirectFrom.indexOf(host) >= 0;

  let add = '';
  if (path.indexOf('/.well-known/') !== 0) {
    const last = path.slice(path.lastIndexOf('/') + 1);
    if (last === '') add = 'index.html';
    else if (last.indexOf('.') < 0) add = '/';
  }

  if (wrongHost || (add === '/' && settings.missingSlash === 'redirect')) {
    const query = request.rawQueryString();
    return {
      statusCode: 301,
      statusDescription: 'Moved Permanently',
      headers: {
        location: {
          value: (wrongHost ? 'https://' + settings.domain : '') + path +
            (add === '/' && settings.missingSlash === 'redirect' ? '/' : '') +
            (query === undefined ? '' : '?' + query),
        },
      },
    };
  }
  request.uri = path + (add === '/' ? '/index.html' : add);
  return request;
}
