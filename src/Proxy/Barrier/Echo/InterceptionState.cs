namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>Are key_evt_amqp commands answered by the proxy?</summary>
internal enum InterceptionState
{
    /// <summary>The upstream has not answered yet; tried again at the next such command.</summary>
    NotTried,

    On,

    /// <summary>The upstream does not name unknown commands, so the places of replies cannot be found: such commands are refused. Asked again at the next one.</summary>
    NoEcho,
}
