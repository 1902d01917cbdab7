"""A web service on the given port that hangs 20 seconds after its start."""
import http.server
import sys
import time

START = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if time.monotonic() - START > 20:
            time.sleep(3600)
        body = b'all is well\n'
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
