"""Several processes that serve one gateway: workers, and the keeper that started them.

    keeper     the life of the process that was started: what it holds, and when it ends
    crew       its workers: started, given connections (handover), replaced, ended
    shared     what must be one for all workers; holdings: what one worker has of it
    worker     the life of a worker
    stand_ins  what stands there for what is shared, over its link to the keeper
    channel    how messages travel; messages: what there is to say

The keeper serves no HTTP; a worker starts no engine. A worker whose keeper is gone ends itself.
"""
