namespace KeyEvt.Forwarder.Config;

/// <summary>How did a connect command end? The numbers are the replaced module's.</summary>
/// <param name="Code">0 connected, 2 socket, 3 connection, 4 authentication, 5 channel, 6 already connected with this configuration.</param>
/// <param name="Reason">For people; no secret, one line.</param>
public readonly record struct ConnectResult(int Code, string Reason)
{
    public bool Connected => Code == 0;
}
