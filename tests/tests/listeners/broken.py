"""An event listener that breaks the protocol in the way its argument names; `good` does not."""
import os
import signal
import sys
import time

FAULT = sys.argv[1]
EOF = object()


def say(text):
    os.write(1, text.encode())


def take(count, stream):
    data = stream.read(count)
    return data if len(data) == count else EOF


def units(count, stream):
    """Counts like a language whose strings are UTF-16."""
    text = ''
    while count > 0:
        char = stream.read(1)
        if not char:
            return EOF
        text += char
        count -= 2 if ord(char) > 0xffff else 1
    return text


def payload(count, stream):
    if FAULT == 'counts-bytes':
        return take(count, sys.stdin.buffer)
    if FAULT == 'counts-utf16':
        return units(count, stream)
    if FAULT == 'early-answer':
        say('RESULT 2\nOK')
        return take(count, stream)
    if FAULT == 'reads-lines':
        return stream.readline() or EOF
    if FAULT == 'waits-for-eof':
        return stream.read()
    if FAULT == 'answers-half':
        return stream.read(count)
    return take(count, stream)


RESULTS = {
    'no-result': '',
    'bad-result-line': 'OK\n',
    'sloppy-result-line': 'RESULT=2\nOK',
    'prints-while-busy': 'got an event\nRESULT 2\nOK',
    'ready-instead-of-result': '',
    'wrong-length': 'RESULT 4\nOK',
    'wrong-length-line-feed': 'RESULT 3\nOK\n',
    'wrong-length-short': 'RESULT 1\nOK',
    'line-feed-after-result': 'RESULT 2\nOK\n',
    'unknown-result': 'RESULT 4\nDONE',
    'always-fails': 'RESULT 4\nFAIL',
    'early-answer': '',
}
READY = {
    'no-line-feed': 'READY',
    'carriage-return': 'READY\r\n',
    'text-before-ready': 'starting\nREADY\n',
    'text-after-ready': 'READY\nwaiting\n',
    'ready-twice': 'READY\nREADY\n',
    'result-unasked': 'READY\nRESULT 2\nOK',
    'not-ready': '',
}


def whole_events():
    """Takes whatever one read brings for a whole event."""
    while True:
        say('READY\n')
        data = os.read(0, 65536)
        if not data:
            return
        header = dict(token.split(':', 1) for token in data.decode().split('\n')[0].split())
        assert len(data.decode().split('\n', 1)[1]) == int(header['len'])
        say('RESULT 2\nOK')


def unflushed():
    for line in sys.stdin:
        print('READY')
    print('READY')


def end():
    if FAULT == 'stays-after-eof':
        time.sleep(1000)
    if FAULT == 'talks-after-eof':
        while True:
            say('READY\n')
    sys.exit(3 if FAULT == 'ends-badly' else 0)


def main():
    if FAULT == 'ignores-sigterm':
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAULT == 'loses-pieces':
        return whole_events()
    if FAULT == 'not-flushed':
        return unflushed()
    stream = sys.stdin.buffer if FAULT == 'counts-bytes' else open(0, encoding='utf-8', newline='\n')
    while True:
        say(READY.get(FAULT, 'READY\n'))
        line = stream.readline()
        if not line:
            end()
        if FAULT == 'counts-bytes':
            line = line.decode()
        split = (lambda token: token.split(':')) if FAULT == 'splits-at-colons' else (lambda token: token.split(':', 1))
        header = dict(split(token) for token in line.split())
        if payload(int(header['len']), stream) is EOF:
            end()
        if FAULT == 'died':
            sys.exit('cannot bear it')
        say(RESULTS.get(FAULT, 'RESULT 2\nOK'))
        if FAULT == 'not-ready-again' or FAULT == 'no-result':
            time.sleep(1000)


main()
