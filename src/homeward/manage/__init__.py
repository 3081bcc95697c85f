"""The models page and the policy page: what they show, and everything that the user can do there.

Only the pages, their APIs and the values that they show; what a button does is behind `Manager` and `Governor`. Callers
import the modules:

    state, manager, routes                     the models page: values, what it can ask for, model_routes
    policy_state, governor, policy_routes      the policy page: the same, policy_routes
"""
