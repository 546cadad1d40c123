using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Amqp;

/// <summary>What stood in the way of the broker? The numbers are the replaced module's.</summary>
public enum LinkFailureKind
{
    None = 0,

    /// <summary>Name, address or TCP.</summary>
    Socket = 2,

    /// <summary>The AMQP connection: virtual host, tuning, closed by the broker.</summary>
    Connection = 3,

    /// <summary>User or password.</summary>
    Authentication = 4,

    /// <summary>The channel: exchange, queue, permissions.</summary>
    Channel = 5,

    /// <summary>A message longer than the broker takes closed the channel; never the outcome of a connect.</summary>
    MessageTooLarge = 7,
}

/// <summary>Why is there no link? One line for people, with the remedy; never a secret.</summary>
public sealed class LinkException(LinkFailureKind kind, string reason, Exception? inner = null) : Exception(CleanText.Line(reason), inner)
{
    public LinkFailureKind Kind => kind;

    /// <summary>Whether trying again soon is useless: somebody must change something first.</summary>
    public bool NeedsRemedy => kind is LinkFailureKind.Authentication or LinkFailureKind.Channel;
}
