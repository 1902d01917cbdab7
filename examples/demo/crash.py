"""Works for twelve seconds, then dies of a bug."""
import time

for second in range(12, 0, -1):
    print(f'{second} seconds to go', flush=True)
    time.sleep(1)
raise RuntimeError('nobody is perfect')
