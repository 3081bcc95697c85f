"""Microsoft Foundry Local as an engine: one child process for one ONNX Runtime GenAI model.

Deliberately empty of imports, like `engines`: the child loads what it needs and nothing else.

    recipe     foundry_recipe, catalogue_recipe: how the children are started, for the parent
    child      the program that answers: loads a model, serves OpenAI's chat protocol on a loopback port
    server     its HTTP side
    body       a chat-completions body, checked and turned into what the runtime understands
    runtime    the SDK: the model in memory, one thread per running answer
    catalogue_child, catalogue   the program that lists, downloads and removes, and the SDK behind it
    offers     what the catalogue says, as values
    guarded    an HTTP application for the parent alone
    refusals   errors of the runtime as OpenAI's, without its C++
"""
