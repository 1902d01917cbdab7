"""An event listener: says on stderr what every process is doing. stdout belongs to the protocol."""
import sys

while True:
    print('READY', flush=True)
    header = sys.stdin.readline()
    if not header:
        break
    event = dict(token.split(':', 1) for token in header.split())
    payload = sys.stdin.read(int(event['len']))
    process = dict(token.split(':', 1) for token in payload.split())
    state = event['eventname'].rpartition('_')[2].lower()
    print(f"*** {process['processname']} is {state}", file=sys.stderr, flush=True)
    sys.stdout.write('RESULT 2\nOK')
    sys.stdout.flush()
