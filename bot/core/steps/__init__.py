"""The steps: each takes one claimed row one step further and writes down what happened.

What to do next is read off the row, and nothing is remembered in between, so the process may die
anywhere. `core.worker` is the loop that claims rows and calls them; `core.desk` is where the steps
of a job write.

    jobs         which of a job's steps is next
      inputs       its pictures and its sound, until they are ours
      submission   the POST that costs money, at most once
      waiting      looks at its gateway until the video is made
        looking    many such looks together: few find more than "not yet"
      content      the video, until it is fetched and plays
    telling      a notice to an operator
    reporting    a report of a cause
    probing      a paused gateway, until it works again

The step of a post is `core.posting`.
"""
