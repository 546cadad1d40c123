using Microsoft.AspNetCore.Connections;

namespace KeyEvt.Proxy.Admin;

/// <summary>One connection to the admin pages, in the list of those that are idle or of those that are not. <see cref="AdminConnectionTable"/> alone changes it.</summary>
internal sealed class AdminConnection(ConnectionContext context, int pool)
{
    public ConnectionContext Context => context;

    public int Pool => pool;

    /// <summary>A request is being answered.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Null: it has left.</summary>
    public LinkedListNode<AdminConnection>? Place { get; set; }
}
