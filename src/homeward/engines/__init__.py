"""Local model runtimes that Homeward starts and supervises as child processes.

Deliberately empty of imports: a child runs `python -m homeward.engines.llama_child`, and what stood here
would be loaded into each of them. Callers import the modules:

    engine        the contract: Engine, EngineState, EngineStatus, wait_for
    supervisor    SupervisedEngine: one owner task for one child process
    recipe        Recipe: how a child is started and watched, as a value
    llama         llama_recipe: llama.cpp on a GGUF file
    starter       where the starter model lies
    gguf, memory  what a model file says of itself, and the memory it will need
"""
