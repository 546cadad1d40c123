using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KeyEvt.Proxy.Admin;

/// <summary>
/// Which connections to the admin pages stay open when more come than allowed? The newest ones: the connection that has been idle for longest is
/// closed. Clients on this machine have their own limit, so that no other client can keep <c>keyevt health</c> out. Thread safe.
/// </summary>
internal sealed class AdminConnectionTable
{
    public const int PlacesOfEach = 32;

    private const int ThisMachine = 0;
    private const int Others = 1;

    /// <summary>Guards all lists, and the state of each <see cref="AdminConnection"/>.</summary>
    private readonly Lock _gate = new();

    /// <summary>The connections of each pool; the one that has been in the list for longest comes first.</summary>
    private readonly LinkedList<AdminConnection>[] _idle = [new(), new()];
    private readonly LinkedList<AdminConnection>[] _busy = [new(), new()];

    /// <summary>Runs one connection; called for each connection before any HTTP.</summary>
    public async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new AdminConnection(context, context.RemoteEndPoint is IPEndPoint ip && !IPAddress.IsLoopback(ip.Address) ? Others : ThisMachine);
        Enter(connection)?.Context.Abort(new ConnectionAbortedException("a newer connection needs its place"));
        context.Features.Set(connection);
        try
        {
            await next(context);
        }
        finally
        {
            Leave(connection);
        }
    }

    /// <summary>Called when a request begins, and when it has been answered.</summary>
    public void Mark(AdminConnection connection, bool isBusy)
    {
        lock (_gate)
        {
            if (connection.Place is null) return;
            Remove(connection);
            Add(connection, isBusy);
        }
    }

    /// <summary>Adds a connection. Returns the one that must be closed for it, if any.</summary>
    private AdminConnection? Enter(AdminConnection connection)
    {
        var (idle, busy) = (_idle[connection.Pool], _busy[connection.Pool]);
        lock (_gate)
        {
            var leaves = idle.Count + busy.Count < PlacesOfEach ? null : (idle.First ?? busy.First)?.Value;
            if (leaves is not null) Remove(leaves);
            Add(connection, isBusy: false);
            return leaves;
        }
    }

    private void Leave(AdminConnection connection)
    {
        lock (_gate)
        {
            if (connection.Place is not null) Remove(connection);
        }
    }

    private void Add(AdminConnection connection, bool isBusy)
    {
        connection.IsBusy = isBusy;
        connection.Place = ListOf(connection).AddLast(connection);
    }

    private void Remove(AdminConnection connection)
    {
        ListOf(connection).Remove(connection.Place!);
        connection.Place = null;
    }

    private LinkedList<AdminConnection> ListOf(AdminConnection connection) => (connection.IsBusy ? _busy : _idle)[connection.Pool];
}
