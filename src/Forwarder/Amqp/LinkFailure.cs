using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>
/// Which step of connecting to the broker, or of using it, failed? The numbers are those of redis-event-stream-module, which KeyEvt replaces.
/// </summary>
public enum LinkFailureKind
{
    None = 0,

    /// <summary>Resolving the name, or the TCP connection.</summary>
    Socket = 2,

    /// <summary>The AMQP connection: virtual host, tuning, or closed by the broker.</summary>
    Connection = 3,

    /// <summary>The user or the password.</summary>
    Authentication = 4,

    /// <summary>The channel: exchange, queue, permissions.</summary>
    Channel = 5,

    /// <summary>The broker closed the channel because a message was too large. Never the result of a connect.</summary>
    MessageTooLarge = 7,
}

/// <summary>Why is there no link? The text is one line for people and includes the remedy. It never holds a secret.</summary>
public sealed class LinkException(LinkFailureKind kind, string reason, Exception? inner = null) : Exception(CleanText.Line(reason), inner)
{
    public LinkFailureKind Kind => kind;

    /// <summary>Whether somebody must change something first, so that another attempt soon is useless.</summary>
    public bool NeedsRemedy => kind is LinkFailureKind.Authentication or LinkFailureKind.Channel;
}
