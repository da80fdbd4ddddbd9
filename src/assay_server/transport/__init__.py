"""gRPC: the only floor that imports it. Servicers translate, call a service, and translate back.

A servicer gets its service and a ``Paging`` in its constructor. Its methods read

    made = await self._models.create(current_call(), …)
    return CreateModelResponse(model=model.to_message(made.answer), revision=made.revision)

and raise nothing but what services raise: who may call, what is written to the audit trail and
which status a refusal has is decided around them, in ``interceptors``.
"""
