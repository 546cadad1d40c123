namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>Are key_evt_amqp commands answered by the proxy?</summary>
internal enum InterceptionState
{
    /// <summary>The upstream has not answered yet. It is asked again at the next key_evt_amqp command.</summary>
    NotTried,

    On,

    /// <summary>
    /// The upstream does not name unknown commands, so places of replies cannot be found, and key_evt_amqp commands are refused. It is asked again at the next
    /// such command.
    /// </summary>
    NoEcho,
}
