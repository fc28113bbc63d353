"""The steps: each takes one claimed row one step further and saves what happened.

A step decides by the row alone and nothing is remembered between steps, so the process may die at
any point. `core.worker` is the loop that claims rows and calls the steps. The steps of a job save
their results through `core.context`.

    jobs         chooses a job's next step
      inputs       downloads its pictures and its sound
      submission   sends the POST that costs money, at most once
      waiting      polls its gateway until the video is made
        polling    polls many jobs together: most answers are "not yet"
      content      downloads the video and converts it if needed
    telling      sends a notice to an operator
    reporting    sends a report of a cause to an owner
    probing      checks a paused gateway until it works again

The step of a post is `core.posting`.
"""
