namespace KeyEvt.Forwarder.Config;

/// <summary>How did a connect command end? The codes are those of redis-event-stream-module, which KeyEvt replaces.</summary>
/// <param name="Code">0 connected, 2 socket, 3 connection, 4 authentication, 5 channel, 6 already connected with this configuration.</param>
/// <param name="Reason">One line for people, without secrets.</param>
public readonly record struct ConnectResult(int Code, string Reason)
{
    public bool Connected => Code == 0;
}
