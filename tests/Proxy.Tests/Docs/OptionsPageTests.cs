using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests.Docs;

/// <summary>Does docs/options.md say what the program's table of options says?</summary>
public sealed class OptionsPageTests
{
    [Fact]
    public void The_page_of_options_is_that_of_the_program() => GeneratedPage.IsEqualTo("docs/options.md", OptionsPage.Text());

    [Fact]
    public void Options_of_a_group_stand_together_in_the_order_of_the_groups()
    {
        var groups = OptionTable.All.Select(option => option.Group).ToList();
        Assert.Equal(groups.Order(), groups);
        Assert.Equal(Enum.GetValues<OptionGroup>(), groups.Distinct());
    }

    /// <summary>An option explains itself in sentences that are read aloud in one breath.</summary>
    [Fact]
    public void Every_meaning_is_made_of_whole_sentences()
        => Assert.All(OptionTable.WithConfig, option =>
        {
            Assert.True(char.IsUpper(option.Meaning[0]) || option.Meaning.StartsWith("yes:", StringComparison.Ordinal) || char.IsAsciiDigit(option.Meaning[0]) || option.Meaning.StartsWith("on:", StringComparison.Ordinal), option.Name);
            Assert.EndsWith(".", option.Meaning, StringComparison.Ordinal);
        });
}
