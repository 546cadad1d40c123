namespace KeyEvt.Proxy.Intercept;

/// <summary>Are key_evt_amqp commands answered by the proxy?</summary>
internal enum InterceptionState
{
    /// <summary>The upstream has not answered yet; tried again at the next such command.</summary>
    NotTried,

    On,

    /// <summary>The upstream does not echo unknown names, so their places cannot be found: they are passed on to it.</summary>
    NoEcho,
}
