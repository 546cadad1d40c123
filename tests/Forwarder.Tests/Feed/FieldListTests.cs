using System.Text;
using KeyEvt.Forwarder.Events;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Is a list of fields read as the server writes it, whatever bytes the fields hold, and nothing else taken for one?</summary>
public sealed class FieldListTests
{
    [Theory]
    [InlineData("1:a", "a")]
    [InlineData("1:a,2:bc,0:,1:a", "a|bc||a")]
    [InlineData("3:1:a,3:,,,", "1:a|,,,")]
    [InlineData("5:a\n|\0\u00ff", "a\n|\0\u00ff")]
    [InlineData("10:0123456789", "0123456789")]
    public void Fields_are_given_in_order(string list, string fields)
    {
        var bytes = Encoding.Latin1.GetBytes(list);
        Assert.True(FieldList.IsValid(bytes));
        var seen = new List<string>();
        foreach (var field in new FieldList(bytes)) seen.Add(Encoding.Latin1.GetString(field));
        Assert.Equal(fields, string.Join('|', seen));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("1")]
    [InlineData("1:")]
    [InlineData("1:ab")]
    [InlineData("2:a")]
    [InlineData("1:a,")]
    [InlineData(",1:a")]
    [InlineData("1:a;1:b")]
    [InlineData("01:a")]
    [InlineData("+1:a")]
    [InlineData("-1:a")]
    [InlineData(" 1:a")]
    [InlineData("1 :a")]
    [InlineData("9999999999:a")]
    [InlineData("1:a,,1:b")]
    public void What_is_no_list_is_refused(string list)
    {
        var bytes = Encoding.Latin1.GetBytes(list);
        Assert.False(FieldList.IsValid(bytes));
        foreach (var field in new FieldList(bytes)) // and does not throw either: a store may hold anything
        {
            Assert.True(field.Length <= list.Length);
        }
    }

    [Fact]
    public void Every_cut_of_a_list_that_ends_within_a_field_is_none()
    {
        var list = Encoding.Latin1.GetBytes("1:a,12:twelve bytes,3:end");
        for (var length = 0; length < list.Length; length++) Assert.Equal(length is 3 or 19, FieldList.IsValid(list.AsSpan(0, length)));
    }
}
