using Microsoft.AspNetCore.Connections;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// One connection to the admin pages. It is in the list of idle or of busy connections. <see cref="AdminConnectionTable"/> alone reads and changes
/// its state, under its own lock.
/// </summary>
internal sealed class AdminConnection(ConnectionContext context, int pool)
{
    public ConnectionContext Context => context;

    public int Pool => pool;

    /// <summary>Whether a request is being answered.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Its place in the list; null if it has left.</summary>
    public LinkedListNode<AdminConnection>? Place { get; set; }
}
